/** The subscriber took events more slowly than they came; it may come again with its cursor. */
export class SlowSubscriberError extends Error {
  override readonly name = 'SlowSubscriberError';

  constructor() {
    super('The subscriber is too slow; subscribe again from the last event received.');
  }
}

interface Waiter<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(error: unknown): void;
}

/**
 * The events of one subscriber, from the moment it is made, so that nothing is missed before the first `next`. Holds
 * a bounded number of them: a subscriber that falls behind is ended with an error rather than grow.
 */
export class BoundedSubscription<T> implements AsyncIterableIterator<T, undefined> {
  private readonly waiting: T[] = [];
  private readonly waiters: Waiter<T>[] = [];
  private ended = false;
  private failure: Error | null = null;

  constructor(
    private readonly waitingMax: number,
    /** Called once, however it ends. */
    private readonly onEnd: () => void,
  ) {}

  push(event: T): void {
    if (this.ended) return;
    const waiter = this.waiters.shift();
    if (waiter !== undefined) waiter.resolve({ value: event, done: false });
    else if (this.waiting.length < this.waitingMax) this.waiting.push(event);
    else this.end(new SlowSubscriberError());
  }

  /** Ends it from our side; with an error, what still waits is dropped and the subscriber learns why. */
  end(failure: Error | null = null): void {
    if (this.ended) return;
    this.ended = true;
    this.failure = failure;
    if (failure !== null) this.waiting.length = 0;
    for (const waiter of this.waiters.splice(0)) this.settle(waiter);
    this.onEnd();
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    const event = this.waiting.shift();
    if (event !== undefined) return { value: event, done: false };
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject };
      if (this.ended) this.settle(waiter);
      else this.waiters.push(waiter);
    });
  }

  /** Answers at once, also while a `next` waits: a client that leaves must not be kept until the next event. */
  async return(): Promise<IteratorResult<T, undefined>> {
    this.waiting.length = 0;
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private settle(waiter: Waiter<T>): void {
    const { failure } = this;
    this.failure = null;
    if (failure === null) waiter.resolve({ value: undefined, done: true });
    else waiter.reject(failure);
  }
}
