import { globals, type Signal } from './platform.js';

/**
 * CONNECTING, OPEN while every event comes, WAITING between two attempts, CLOSED at the end: by {@link EventStream.close}, or
 * for good.
 */
export type StreamState = 'CONNECTING' | 'OPEN' | 'WAITING' | 'CLOSED';

export interface StreamOptions<Event> {
  /**
   * The cursor of the last event that was handled: the next one comes first. `"0"` is before the first event. Without
   * it, and without a stored one, the stream begins now.
   */
  readonly after?: string;
  /** Called with each event in order; the next one waits for it. Without it, iterate over the stream. */
  readonly onEvent?: (event: Event) => unknown;
  /** The error is why the stream waits, or why it is closed. */
  readonly onState?: (state: StreamState, error?: unknown) => void;
  /** Names the stream in the cursor store, where there are several of one kind; null keeps it out of the store. */
  readonly name?: string | null;
  readonly signal?: Signal;
}

export interface Evented {
  readonly cursor: string;
}

/** How a stream gets its events. */
export interface EventSource<Event> {
  /**
   * Listens from a cursor on, until the connection ends.
   * @returns a function that ends it
   */
  listen(after: string | null, listener: EventListener<Event>): () => void;
  /** Why a connection ended, and how long to wait before the next. @throws the error where it is for good */
  judge(why: unknown, failures: number): Promise<{ readonly error: Error; readonly waitMs: number }>;
  readonly cursors: { load(): Promise<string | null>; save(cursor: string): Promise<void> };
}

export interface EventListener<Event> {
  /** Where a stream without a cursor begins: the next connection begins there, too. */
  began(cursor: string): void;
  opened(): void;
  event(event: Event): void;
  ended(why: unknown): void;
}

/** Events that a reader has not taken yet; with more the stream stops listening until they are taken. */
const WAITING_MAX = 256;
const TOO_SLOW = Symbol('too slow');
/** A connection that lasted was none of a row of failures. */
const STEADY_MS = 10_000;

/**
 * Events of a subscription, each once and in order: after any interruption it goes on behind the last event that it has
 * received. An event counts as handled, and its cursor is stored, when the next one is asked for.
 */
export class EventStream<Event extends Evented> implements AsyncIterableIterator<Event> {
  /** Resolves when the stream was closed; rejects when it ended for good. */
  readonly closed: Promise<void>;
  private readonly source: EventSource<Event>;
  private readonly onState: StreamOptions<Event>['onState'];
  private readonly events: Event[] = [];
  private handled: Event | null = null;
  private received: string | null;
  private failures = 0;
  private openedMs = Infinity;
  private isClosed = false;
  private turn: Promise<unknown> = Promise.resolve();
  private interrupt = (): void => undefined;
  private wakeReader = (): void => undefined;
  private wakeWriter = (): void => undefined;
  private finish!: (error?: Error) => void;

  constructor(source: EventSource<Event>, { after, onEvent, onState, signal }: StreamOptions<Event>) {
    this.source = source;
    this.onState = onState;
    this.received = after ?? null;
    this.closed = new Promise((resolve, reject) => {
      this.finish = (error) => (error === undefined ? resolve() : reject(error));
    });
    const leave = (): void => this.close();
    // The end is known from onState, too: a rejection that nothing looks at would end a Node process.
    signal?.addEventListener('abort', leave);
    void this.closed.catch(() => undefined).then(() => signal?.removeEventListener('abort', leave));
    if (signal?.aborted === true) this.close();
    void this.keepListening();
    if (onEvent !== undefined) void this.pump(onEvent);
  }

  /** The cursor of the last event that was received. */
  get cursor(): string | null {
    return this.received;
  }

  /** Ends it; events that were not taken yet are dropped, and come again from the stored cursor. */
  close(): void {
    this.events.length = 0;
    this.end();
  }

  /** One caller after another, as iterators are to be: each gets an event of its own. */
  async next(): Promise<IteratorResult<Event, undefined>> {
    const turn = this.turn.then(async () => this.taken());
    this.turn = turn.catch(() => undefined);
    return turn;
  }

  private async taken(): Promise<IteratorResult<Event, undefined>> {
    const { handled } = this;
    this.handled = null;
    if (handled !== null) await this.source.cursors.save(handled.cursor);
    while (this.events.length === 0 && !this.isClosed)
      await new Promise<void>((resolve) => {
        this.wakeReader = resolve;
      });
    const event = this.events.shift();
    if (event === undefined) {
      await this.closed;
      return { done: true, value: undefined };
    }
    this.handled = event;
    if (this.events.length === 0) this.wakeWriter();
    return { done: false, value: event };
  }

  /** What `for await` calls when it is left by `break` or by an error: the last event does not count as handled. */
  async return(): Promise<IteratorResult<Event, undefined>> {
    this.close();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private async pump(onEvent: (event: Event) => unknown): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.next();
        if (done === true) return;
        await onEvent(value);
      }
    } catch (error) {
      this.end(error);
    }
  }

  private async keepListening(): Promise<void> {
    try {
      while (!this.isClosed) {
        this.tell('CONNECTING');
        const why = await this.connection();
        if (this.isClosed) return;
        if (why === TOO_SLOW) continue;
        if (Date.now() - this.openedMs > STEADY_MS) this.failures = 0;
        const { error, waitMs } = await this.source.judge(why, this.failures);
        this.failures += 1;
        this.tell('WAITING', error);
        await this.wait(waitMs);
      }
    } catch (error) {
      this.end(error);
    }
  }

  /** @returns why it ended, or could not begin */
  private async connection(): Promise<unknown> {
    try {
      this.received ??= await this.source.cursors.load();
    } catch (error) {
      return error;
    }
    return this.isClosed ? null : this.listen();
  }

  /** Until the connection ends. @returns why; {@link TOO_SLOW} where the reader was too slow, and has caught up */
  private async listen(): Promise<unknown> {
    const listening: { stop?: () => void } = {};
    let isOver = false;
    const why = await new Promise<unknown>((resolve) => {
      const end = (reason: unknown): void => {
        isOver = true;
        resolve(reason);
      };
      this.interrupt = () => end(null);
      listening.stop = this.source.listen(this.received, {
        opened: () => {
          this.openedMs = Date.now();
          this.tell('OPEN');
        },
        began: (cursor) => {
          this.received = cursor;
        },
        event: (event) => {
          if (isOver) return;
          this.take(event);
          if (this.events.length >= WAITING_MAX) end(TOO_SLOW);
        },
        ended: end,
      });
    });
    listening.stop?.();
    if (why === TOO_SLOW) await this.untilTaken();
    return why;
  }

  private take(event: Event): void {
    this.failures = 0;
    this.received = event.cursor;
    this.events.push(event);
    this.wakeReader();
  }

  private async untilTaken(): Promise<void> {
    while (this.events.length > 0 && !this.isClosed) await this.wait(null);
  }

  /** For that time, or until the reader has taken all events, or the stream is closed. */
  private async wait(ms: number | null): Promise<void> {
    if (this.isClosed) return;
    let timer: unknown;
    await new Promise<void>((resolve) => {
      if (ms === null) this.wakeWriter = resolve;
      else timer = globals.setTimeout(resolve, ms);
      this.interrupt = resolve;
    });
    globals.clearTimeout(timer);
  }

  private end(error?: unknown): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.interrupt();
    this.finish(
      error === undefined || error instanceof Error
        ? error
        : new Error('The stream failed.', { cause: error }),
    );
    this.wakeReader();
    this.tell('CLOSED', error);
  }

  private tell(state: StreamState, error?: unknown): void {
    if (!this.isClosed || state === 'CLOSED') this.onState?.(state, error);
  }
}
