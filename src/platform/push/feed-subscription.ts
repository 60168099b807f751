import { setTimeout as pause } from 'node:timers/promises';
import { DomainError } from '../errors.js';
import type { Id } from '../ids.js';
import type { PublishedEvent } from '../outbox/published-event.js';
import type { FeedPage } from './feed-pages.js';

/** The events of a subscriber. */
export interface FeedFilter {
  readonly tenantId: string;
  readonly types: readonly string[];
  /** Only this user's; null for those of the whole tenant. */
  readonly userId: Id | null;
}

/** Events that wait for a subscriber at most; what comes beyond is read again from the table in its time. */
const WAITING_MAX = 1000;
/** Events handed on in one go; then others have their turn of the event loop. */
const SLICE_EVENTS = 10;
const READ_ATTEMPTS_MAX = 6;
const RETRY_FIRST_MS = 100;

/** Where a subscription gets its events. */
export interface FeedSource {
  /** From then on new events are delivered. @returns false while the subscriber lacks earlier ones */
  join(subscription: FeedSubscription, receivedSeq: number): boolean;
  /** The next events behind `afterSeq`. */
  read(afterSeq: number): Promise<FeedPage>;
  /** Resolves when it is this subscriber's turn to be given many events. */
  turn(isLive: boolean): Promise<void>;
}

/**
 * The events of one subscriber, each once, in order of `seq`, without a gap. It reads the table until it has all that
 * the tenant's tail has read; then it joins the tail, and new events are delivered to it. When more come than it can
 * hold, it leaves the tail and reads on from the table, once what waits has been taken.
 */
export class FeedSubscription implements AsyncIterableIterator<PublishedEvent, undefined> {
  /** In order. */
  private readonly due: PublishedEvent[] = [];
  private isLive = false;
  private handedOn = 0;
  private failure: Error | null = null;
  private turn: Promise<unknown> = Promise.resolve();
  private wake: () => void = () => undefined;
  private readonly ending = new AbortController();

  /** @param receivedSeq No event up to here is missing: it was given to the subscriber, or is due. */
  constructor(
    readonly filter: FeedFilter,
    private receivedSeq: number,
    private readonly source: FeedSource,
  ) {}

  /** Runs once, however it ends; at once if it has. */
  whenEnded(work: () => void): void {
    if (this.hasEnded) work();
    else this.ending.signal.addEventListener('abort', work, { once: true });
  }

  /**
   * New events, of those with numbers from `afterSeq` to `upToSeq`. What lies before was delivered, or not for it.
   * @returns false when it cannot hold them, and leaves
   */
  deliver(events: readonly PublishedEvent[], afterSeq: number, upToSeq: number): boolean {
    const wanted = this.wanted(events);
    this.isLive = this.due.length + wanted.length <= WAITING_MAX;
    this.receivedSeq = Math.max(this.receivedSeq, this.isLive ? upToSeq : afterSeq);
    if (this.isLive) this.due.push(...wanted);
    this.wake();
    return this.isLive;
  }

  end(failure: Error | null = null): void {
    if (this.hasEnded) return;
    this.failure = failure;
    this.due.length = 0;
    this.ending.abort();
    this.wake();
  }

  async next(): Promise<IteratorResult<PublishedEvent, undefined>> {
    const result = this.turn.then(async () => this.pull());
    this.turn = result.catch(() => undefined);
    return result;
  }

  /** Answers at once, also while a `next` waits: a client that leaves must not be kept until the next event. */
  async return(): Promise<IteratorResult<PublishedEvent, undefined>> {
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private get hasEnded(): boolean {
    return this.ending.signal.aborted;
  }

  private async pull(): Promise<IteratorResult<PublishedEvent, undefined>> {
    while (!this.hasEnded) {
      const event = this.due.shift();
      if (event !== undefined) return await this.handOn(event);
      if (this.isLive) await this.woken();
      else await this.catchUp().catch((error: unknown) => this.end(asError(error)));
    }
    const { failure } = this;
    this.failure = null;
    if (failure !== null) throw failure;
    return { value: undefined, done: true };
  }

  /** A long backlog goes out in slices: subscribers who catch up must not hold the event loop. */
  private async handOn(event: PublishedEvent): Promise<IteratorResult<PublishedEvent, undefined>> {
    this.handedOn = this.due.length === 0 ? 0 : this.handedOn + 1;
    if (this.handedOn % SLICE_EVENTS === 1) await this.source.turn(this.isLive);
    return this.hasEnded ? this.pull() : { value: event, done: false };
  }

  private async woken(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.wake = resolve;
    });
  }

  /** Joins the tail, or reads a page to come nearer to it. */
  private async catchUp(): Promise<void> {
    this.isLive = this.source.join(this, this.receivedSeq);
    if (this.isLive) return;
    const page = await this.patiently(async () => this.source.read(this.receivedSeq));
    if (this.hasEnded) return;
    this.due.push(...this.wanted(page.events));
    this.receivedSeq = page.upToSeq;
  }

  private wanted(events: readonly PublishedEvent[]): PublishedEvent[] {
    const { types, userId } = this.filter;
    return events.filter(
      (event) =>
        event.seq > this.receivedSeq &&
        types.includes(event.type) &&
        (userId === null || event.userId === userId),
    );
  }

  /** @throws StoreUnavailableError when the database did not answer for some seconds; the client has its cursor. */
  private async patiently<T>(read: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await read();
      } catch (error) {
        const isFinal = error instanceof DomainError || attempt === READ_ATTEMPTS_MAX || this.hasEnded;
        if (isFinal) throw error;
        const pauseMs = RETRY_FIRST_MS * 2 ** (attempt - 1);
        await pause(pauseMs, undefined, { signal: this.ending.signal }).catch(() => undefined);
      }
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
