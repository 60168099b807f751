import { FairQueue, type Caller } from './fair-queue.js';

export interface GateLimits {
  /** Work under way at once, in all, for one tenant, and for one caller. */
  readonly atOnce: number;
  readonly perTenant: number;
  readonly perCaller: number;
  /** Work that waits, in all and for one caller. */
  readonly waiting: number;
  readonly waitingPerCaller: number;
  /** How long work waits at most. */
  readonly waitMsMax: number;
}

/** The caller has too much work under way; nothing of this work was begun. */
export class BusyError extends Error {
  override readonly name = 'BusyError';

  constructor(readonly retryAfterMs: number) {
    super('Too much of this caller is under way.');
  }
}

interface Waiting {
  start(): void;
  fail(error: unknown): void;
}

/** Bounds work of one kind: a few at once for each caller and tenant, the others in turn, and not without end. */
export class FairGate {
  private readonly queue = new FairQueue<Waiting>();
  private readonly ofTenant = new Map<string, number>();
  private readonly ofCaller = new Map<string, number>();
  private running = 0;

  constructor(private readonly limits: GateLimits) {}

  /**
   * Takes a place, and waits for one if need be.
   * @returns how to leave it, which must happen once
   * @throws BusyError when too much waits already, or this has waited for too long; or the error of {@link failWaiting}
   */
  async enter(caller: Caller): Promise<() => void> {
    if (this.mayStart(caller) && this.queue.sizeOf(caller) === 0) this.count(caller, 1);
    else await this.turn(caller);
    return () => {
      this.count(caller, -1);
      this.startNext();
    };
  }

  /** Whoever leaves counts the next one in, so that nobody slips in between. */
  private async turn(caller: Caller): Promise<void> {
    const { waiting, waitingPerCaller, waitMsMax } = this.limits;
    if (this.queue.size >= waiting || this.queue.sizeOf(caller) >= waitingPerCaller) {
      throw new BusyError(waitMsMax);
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const item: Waiting = {
      start: () => {
        clearTimeout(timer);
        this.count(caller, 1);
        resolve();
      },
      fail: (error) => {
        clearTimeout(timer);
        reject(error);
      },
    };
    const timer = setTimeout(() => {
      this.queue.remove(caller, item);
      reject(new BusyError(waitMsMax));
    }, waitMsMax);
    this.queue.push(caller, item);
    await promise;
  }

  /** Ends the wait of work that waits now: what it needs is away, and each turn would wait for that again. */
  failWaiting(error: unknown, whose: (caller: Caller) => boolean): void {
    for (let item = this.queue.take(whose); item !== undefined; item = this.queue.take(whose))
      item.fail(error);
  }

  private startNext(): void {
    while (this.running < this.limits.atOnce) {
      const next = this.queue.take((caller) => this.mayStart(caller));
      if (next === undefined) return;
      next.start();
    }
  }

  private mayStart(caller: Caller): boolean {
    const { atOnce, perTenant, perCaller } = this.limits;
    return (
      this.running < atOnce &&
      (this.ofTenant.get(caller.tenantId) ?? 0) < perTenant &&
      (this.ofCaller.get(keyOf(caller)) ?? 0) < perCaller
    );
  }

  private count(caller: Caller, change: 1 | -1): void {
    this.running += change;
    add(this.ofTenant, caller.tenantId, change);
    add(this.ofCaller, keyOf(caller), change);
  }
}

function keyOf({ tenantId, id }: Caller): string {
  return `${tenantId} ${id}`;
}

function add(counts: Map<string, number>, key: string, change: number): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
