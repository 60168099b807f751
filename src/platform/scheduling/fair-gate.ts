import { FairQueue, type Caller } from './fair-queue.js';

export interface GateLimits {
  /** Work under way at once. The last three places are reserves, see {@link FairGate}. */
  readonly atOnce: number;
  /** Of these, of one caller; by default as many as there are. */
  readonly atOncePerCaller?: number;
  /** Work that waits: in all (and one for each further tenant), for one tenant, and for one caller of each kind. */
  readonly waiting: number;
  readonly waitingPerTenant: number;
  readonly waitingPerCaller: Readonly<Record<Caller['kind'], number>>;
  /** How long work waits at most. */
  readonly waitMsMax: number;
}

/** Which bound was reached: one of the waiting lines is full, or the work has waited for too long. */
export type BusyBound = 'CALLER' | 'TENANT' | 'ALL' | 'TIME';

/** Places of a caller while something else needs the machine: a backend asks for all its users under one name. */
const PRESSED: Readonly<Record<Caller['kind'], number>> = {
  STAFF: 2,
  PARTNER: 2,
  USER: 1,
  NODE: 1,
  ADDRESS: 1,
};

/** Work was refused before any of it was begun. */
export class BusyError extends Error {
  override readonly name = 'BusyError';

  /** @param most of the bound: waiting requests, or milliseconds for TIME */
  constructor(
    readonly bound: BusyBound,
    readonly most: number,
    readonly retryAfterMs: number,
  ) {
    super(`Too much work waits: the bound of ${bound}, ${most}, was reached.`);
  }
}

interface Waiting {
  start(): void;
  fail(error: unknown): void;
}

/**
 * Bounds work of one kind. A single caller takes all places but three; each of these is for a caller who would
 * otherwise wait behind those who have work under way: another caller, a caller of another kind (a tenant's users
 * beside its staff), and another tenant. What finds no place waits, and tenants and callers take turns.
 */
export class FairGate {
  private readonly queue = new FairQueue<Waiting>();
  private readonly underWay = new Map<string, number>();
  private running = 0;

  /** @param isPressed While true a caller has {@link PRESSED} places at most, because others need the machine. */
  constructor(
    private readonly limits: GateLimits,
    private readonly isPressed: (caller: Caller) => boolean = () => false,
  ) {}

  /**
   * Takes a place, and waits for one if need be.
   * @returns how to leave it, which must happen once
   * @throws BusyError, or the error of {@link failWaiting}
   */
  async enter(caller: Caller): Promise<() => void> {
    if (this.mayStart(caller) && this.queue.sizeOf(caller) === 0) this.count(caller, 1);
    else await this.turn(caller);
    return () => {
      this.count(caller, -1);
      this.startNext(caller);
    };
  }

  /** A place that is left is counted for the next caller at once, so that no newcomer slips in between. */
  private async turn(caller: Caller): Promise<void> {
    this.requireRoom(caller);
    const { waitMsMax } = this.limits;
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
      reject(new BusyError('TIME', waitMsMax, waitMsMax));
    }, waitMsMax);
    this.queue.push(caller, item);
    await promise;
  }

  /** @throws BusyError */
  private requireRoom(caller: Caller): void {
    const { waiting, waitingPerTenant, waitingPerCaller, waitMsMax } = this.limits;
    const ofCaller = waitingPerCaller[caller.kind];
    if (this.queue.sizeOf(caller) >= ofCaller) throw new BusyError('CALLER', ofCaller, waitMsMax);
    const ofTenant = this.queue.sizeOfTenant(caller.tenantId);
    if (ofTenant >= waitingPerTenant) {
      throw new BusyError('TENANT', waitingPerTenant, waitMsMax);
    }
    // A tenant that has nothing waiting is always let in: two others, or callers without a token, can fill all lines.
    if (this.queue.size >= waiting && ofTenant > 0) throw new BusyError('ALL', waiting, waitMsMax);
  }

  /** Ends the wait of work that waits now: what it needs is away, and each turn would wait for that again. */
  failWaiting(error: unknown, whose: (caller: Caller) => boolean): void {
    for (let item = this.queue.take(whose); item !== undefined; item = this.queue.take(whose))
      item.fail(error);
  }

  /** Starts what may start by now that a caller has left a place, or is no longer pressed. */
  startNext(changed: Caller): void {
    for (let next = this.next(changed); next !== undefined; next = this.next(changed)) next.start();
  }

  /** Without a bound on all, a caller waits only for itself: of thousands of others none is looked at. */
  private next(changed: Caller): Waiting | undefined {
    if (this.limits.atOnce === Infinity)
      return this.mayStart(changed) ? this.queue.takeOf(changed) : undefined;
    if (this.running >= this.limits.atOnce) return undefined;
    return this.queue.take(
      (caller) => this.mayStart(caller),
      (tenantId) => this.leavesPlace([tenantId]),
    );
  }

  /** Callers with work under way, by tenant, by kind or by name, leave a place for one who has none. */
  private mayStart(caller: Caller): boolean {
    const groups = groupsOf(caller);
    const own = this.underWay.get(groups[2]) ?? 0;
    if (own >= (this.limits.atOncePerCaller ?? Infinity)) return false;
    if (own >= PRESSED[caller.kind] && this.isPressed(caller)) return false;
    return this.leavesPlace(groups);
  }

  private leavesPlace(groups: readonly string[]): boolean {
    const reserved = groups.filter((group) => this.underWay.has(group)).length;
    return this.limits.atOnce - this.running > reserved;
  }

  private count(caller: Caller, change: 1 | -1): void {
    this.running += change;
    for (const group of groupsOf(caller)) {
      const count = (this.underWay.get(group) ?? 0) + change;
      if (count === 0) this.underWay.delete(group);
      else this.underWay.set(group, count);
    }
  }
}

/** From the widest to the narrowest. */
function groupsOf({ tenantId, kind, id }: Caller): readonly [string, string, string] {
  return [tenantId, `${tenantId} ${kind}`, `${tenantId} ${kind} ${id}`];
}
