import { setTimeout as pause } from 'node:timers/promises';
import { DomainError } from '../errors.js';
import type { ChannelListener } from '../push/event-bus.js';
import { requireWithinReach } from './feed-cursor.js';
import type { FeedPage, FeedPosition } from './outbox-reader.js';
import type { PublishedEvent } from './published-event.js';

/** Events that wait for a subscriber at most; what comes beyond is read again from the table in its time. */
const WAITING_MAX = 1000;
/** Events handed on in one go; then others have their turn of the event loop. */
const SLICE_EVENTS = 10;
const READ_ATTEMPTS_MAX = 6;
const RETRY_FIRST_MS = 100;
/** How soon to look again for what is numbered and about to be published. */
const LOOK_FIRST_MS = 20;
const LOOK_MOST_MS = 500;

/** Where a subscription reads what it has not heard. */
export interface FeedSource {
  position(): Promise<FeedPosition>;
  /** The next events behind `afterSeq`; nothing behind `upToSeq` is asked for. */
  read(afterSeq: number, upToSeq: number): Promise<FeedPage>;
  /** Resolves when it is this subscriber's turn to be given many events. */
  turn(): Promise<void>;
}

/**
 * The events of one subscriber, each once, in order of `seq`, without a gap. It listens at first, and what it may
 * have missed it reads from the table: behind a cursor, after the connection to Redis was lost, and after more came
 * than it could hold. It reads as far as numbers had been given when it was listening (again), because whatever is
 * numbered later is published later, and heard. Only what is published is read: what an event tells of can be
 * relied on only when its handlers have run.
 */
export class FeedSubscription implements AsyncIterableIterator<PublishedEvent, undefined>, ChannelListener {
  /** In order, all of them due. */
  private readonly due: PublishedEvent[] = [];
  /** What was heard while there is something to read; null while there is nothing. */
  private held: PublishedEvent[] | null = [];
  /** How far to read; null until that is known. */
  private targetSeq: number | null = null;
  private lossCount = 0;
  /** Resolves when the channel is live again; null while it is. */
  private away: Promise<void> | null = null;
  private looks = 0;
  private handedOn = 0;
  private failure: Error | null = null;
  private turn: Promise<unknown> = Promise.resolve();
  private wake: () => void = () => undefined;
  private readonly ending = new AbortController();

  /** @param receivedSeq No event up to here is missing: it was given to the subscriber, or is due. */
  constructor(
    private receivedSeq: number,
    private readonly source: FeedSource,
    /** What is for this subscriber of a message. */
    private readonly select: (message: unknown) => readonly PublishedEvent[],
  ) {}

  /** Runs once, however it ends; at once if it has. */
  whenEnded(work: () => void): void {
    if (this.hasEnded) work();
    else this.ending.signal.addEventListener('abort', work, { once: true });
  }

  deliver(message: unknown): void {
    const events = this.select(message);
    if (events.length === 0 || this.hasEnded) return;
    if (this.held === null) this.accept(events);
    else if (this.held.length + events.length <= WAITING_MAX) this.held.push(...events);
    else this.fallBehind();
    this.wake();
  }

  onGap(live: Promise<void>): void {
    this.fallBehind();
    this.away = live;
    void this.comeBack(live);
  }

  /** Everything up to here has been delivered to this process. Spares a subscriber without events long reading. */
  advanceTo(seq: number): void {
    if (this.held === null) this.receivedSeq = Math.max(this.receivedSeq, seq);
  }

  end(failure: Error | null = null): void {
    if (this.hasEnded) return;
    this.failure = failure;
    this.due.length = 0;
    this.held = null;
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
      if (this.held === null || this.away !== null) await this.woken();
      else await this.readOn(this.held).catch((error: unknown) => this.end(asError(error)));
    }
    const { failure } = this;
    this.failure = null;
    if (failure !== null) throw failure;
    return { value: undefined, done: true };
  }

  /** A long backlog goes out in slices: subscribers who catch up must not hold the event loop. */
  private async handOn(event: PublishedEvent): Promise<IteratorResult<PublishedEvent, undefined>> {
    this.handedOn = this.due.length === 0 ? 0 : this.handedOn + 1;
    if (this.handedOn % SLICE_EVENTS === 1) await this.source.turn();
    return this.hasEnded ? this.pull() : { value: event, done: false };
  }

  private async comeBack(live: Promise<void>): Promise<void> {
    await live;
    if (this.away === live) this.away = null;
    this.wake();
  }

  private async woken(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.wake = resolve;
    });
  }

  private accept(events: readonly PublishedEvent[]): void {
    for (const event of events) {
      // Published again by a relay that took over, or read from the table before.
      if (event.seq <= this.receivedSeq) continue;
      if (this.due.length >= WAITING_MAX) {
        this.fallBehind();
        return;
      }
      this.due.push(event);
      this.receivedSeq = event.seq;
    }
  }

  /** Something was not heard, or could not be held: it is read, once what is due has been taken. */
  private fallBehind(): void {
    this.lossCount += 1;
    this.held = [];
    this.targetSeq = null;
  }

  /** One step from the table, or back to what is heard. */
  private async readOn(held: readonly PublishedEvent[]): Promise<void> {
    if (this.targetSeq !== null && this.receivedSeq >= this.targetSeq) {
      this.held = null;
      this.accept(held);
      return;
    }
    const losses = this.lossCount;
    const { lastSeq, publishedSeq } = await this.patiently(async () => this.source.position());
    if (losses !== this.lossCount) return;
    if (this.targetSeq === null) requireWithinReach(this.receivedSeq, publishedSeq);
    this.targetSeq ??= lastSeq;
    const endSeq = Math.min(publishedSeq, this.targetSeq);
    if (endSeq > this.receivedSeq) await this.readUpTo(endSeq);
    else if (this.receivedSeq < this.targetSeq) await this.look();
  }

  private async readUpTo(endSeq: number): Promise<void> {
    const page = await this.patiently(async () => this.source.read(this.receivedSeq, endSeq));
    if (this.hasEnded) return;
    this.due.push(...page.events);
    this.receivedSeq = page.upToSeq;
    this.looks = 0;
  }

  /** What is numbered and not yet published is about to be; after a crash of the relay it takes another one. */
  private async look(): Promise<void> {
    await this.rest(Math.min(LOOK_FIRST_MS * 2 ** this.looks, LOOK_MOST_MS));
    this.looks += 1;
  }

  /** @throws StoreUnavailableError when the database did not answer for some seconds; the client has its cursor. */
  private async patiently<T>(read: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await read();
      } catch (error) {
        const isFinal = error instanceof DomainError || attempt === READ_ATTEMPTS_MAX || this.hasEnded;
        if (isFinal) throw error;
        await this.rest(RETRY_FIRST_MS * 2 ** (attempt - 1));
      }
    }
  }

  private async rest(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.ending.signal }).catch(() => undefined);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
