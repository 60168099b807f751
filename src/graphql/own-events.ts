import { GraphQLError } from 'graphql';
import type { FeedSubscription } from '../platform/outbox/feed-subscription.js';
import { CursorError, parseCursor } from '../platform/outbox/feed-cursor.js';
import type { PublishedEvent } from '../platform/outbox/published-event.js';
import { requireActor } from './auth.js';
import type { RequestContext } from './context.js';

/** The argument with which a subscription goes on where the client was. */
export const AFTER = {
  nullable: true,
  description:
    'The `cursor` of the last event received: begins with the event after it, then goes on live, each event once and in order. Any event of the tenant will do; "0" is before the first. Without it, only what comes from now on.',
} as const;

interface Subscribing {
  readonly args: { readonly after?: string | null };
  readonly context: RequestContext;
}

interface EventSource {
  /** The query that tells the present state to who has been away for too long. */
  readonly list: string;
}

/** The source of a subscription: events of one type, a user's own or, for staff, all of the tenant. */
export function ownEvents(type: string, { list }: EventSource) {
  return async ({ args, context }: Subscribing): Promise<AsyncIterable<PublishedEvent>> => {
    const actor = requireActor(context);
    const userId = actor.kind === 'USER' ? actor.userId : null;
    const after = args.after ?? null;
    try {
      const afterSeq = after === null ? null : parseCursor(after);
      const events = await context.events.subscribe({ tenantId: actor.tenantId, type, userId }, afterSeq);
      return new ToldEvents(events, list);
    } catch (error) {
      throw told(error, list);
    }
  };
}

/** The same events; the reason why no more can come is one for the client. */
class ToldEvents implements AsyncIterableIterator<PublishedEvent, undefined> {
  constructor(
    private readonly events: FeedSubscription,
    private readonly list: string,
  ) {}

  async next(): Promise<IteratorResult<PublishedEvent, undefined>> {
    return this.events.next().catch((error: unknown) => {
      throw told(error, this.list);
    });
  }

  async return(): Promise<IteratorResult<PublishedEvent, undefined>> {
    return this.events.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

function told(error: unknown, list: string): unknown {
  if (!(error instanceof CursorError)) return error;
  const { code } = error;
  const advice = code === 'CURSOR_EXPIRED' ? ` Subscribe without a cursor, then read \`${list}\`.` : '';
  return new GraphQLError(`${error.message}${advice}`, { extensions: { code } });
}
