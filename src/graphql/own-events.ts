import { GraphQLError } from 'graphql';
import type { FeedSubscription } from '../platform/push/feed-subscription.js';
import { CursorError, parseCursor, type FeedCursor } from '../platform/push/feed-cursor.js';
import type { PublishedEvent } from '../platform/outbox/published-event.js';
import { forbidden, requireToken } from './auth.js';
import type { RequestContext } from './context.js';

/** The argument with which a subscription resumes after the client's last event. */
export const AFTER = {
  nullable: true,
  description:
    'The `cursor` of the last event received: the subscription begins with the next event and continues live, each event once and in order. The cursor of any event of the tenant is accepted; "0" is before the first. Without it, only new events.',
} as const;

interface Subscribing<Args> {
  readonly args: Args & { readonly after?: string | null };
  readonly context: RequestContext;
}

/** An event as a client gets it, with the fields of its GraphQL type. */
export type FeedItem = Readonly<Record<string, unknown>>;

interface FeedOptions<Args> {
  /** Types of the events that it selects from. */
  readonly types: readonly string[];
  /** What one event tells a subscriber with these arguments; without it, its payload. */
  readonly items?: (event: PublishedEvent, args: Args) => readonly object[];
  /** The query that a client must read again after it was away longer than events are kept. */
  readonly list: string;
}

/** The source of a subscription: what a user's own events tell or, for all others, all of the tenant. */
export function ownEvents<Args extends object = object>(options: FeedOptions<Args>) {
  return async ({ args, context }: Subscribing<Args>): Promise<AsyncIterable<FeedItem>> => {
    const { tenantId, ...actor } = requireToken(context);
    if (actor.kind === 'PARTNER' && actor.productCodes !== null)
      throw forbidden(
        'The events name no product line, and the API key is limited to some. Use another key.',
      );
    const userId = actor.kind === 'USER' ? actor.userId : null;
    const after = args.after ?? null;
    try {
      const cursor = after === null ? null : parseCursor(after);
      const filter = { tenantId, types: options.types, userId };
      const events = await context.events.subscribe(filter, cursor?.afterSeq ?? null);
      return new FeedItems(events, { ...options, args }, cursor);
    } catch (error) {
      throw errorForClient(error, options.list);
    }
  };
}

/** The items of the events; the reason why no more can come is one for the client. */
class FeedItems<Args> implements AsyncIterableIterator<FeedItem, undefined> {
  private readonly due: FeedItem[] = [];

  constructor(
    private readonly events: FeedSubscription,
    private readonly options: FeedOptions<Args> & { readonly args: Args },
    private readonly cursor: FeedCursor | null,
  ) {}

  async next(): Promise<IteratorResult<FeedItem, undefined>> {
    for (;;) {
      const item = this.due.shift();
      if (item !== undefined) return { value: item, done: false };
      const { value: event } = await this.events.next().catch((error: unknown) => {
        throw errorForClient(error, this.options.list);
      });
      if (event === undefined) return { value: undefined, done: true };
      this.due.push(...this.itemsOf(event));
    }
  }

  async return(): Promise<IteratorResult<FeedItem, undefined>> {
    this.due.length = 0;
    await this.events.return();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** A cursor between the items of an event names it and how many of them the client has. */
  private itemsOf(event: PublishedEvent): FeedItem[] {
    const { tenantId, seq, userId, payload } = event;
    const items: readonly object[] = this.options.items?.(event, this.options.args) ?? [payload];
    const all = items.map((item, at) => {
      const part = this.options.items === undefined ? '' : `-${at + 1}`;
      const cursor = at === items.length - 1 ? String(seq) : `${seq}-${at + 1}`;
      return { eventId: `${tenantId}-${seq}${part}`, ...item, cursor, userId };
    });
    const given = seq - 1 === this.cursor?.afterSeq ? this.cursor.items : 0;
    return given < all.length ? all.slice(given) : all;
  }
}

function errorForClient(error: unknown, list: string): unknown {
  if (!(error instanceof CursorError)) return error;
  const { code } = error;
  const advice = code === 'CURSOR_EXPIRED' ? ` Subscribe without a cursor, then read \`${list}\`.` : '';
  return new GraphQLError(`${error.message}${advice}`, { extensions: { code } });
}
