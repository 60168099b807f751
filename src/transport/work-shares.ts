import { LRUCache } from 'lru-cache';
import { atMost } from '../platform/cache-size.js';
import { BusyError, FairGate, type GateLimits } from '../platform/scheduling/fair-gate.js';
import type { Caller } from '../platform/scheduling/fair-queue.js';
import { LoopTurns } from '../platform/scheduling/loop-turns.js';
import { busyAnswer } from './caller.js';

/** Waiting work costs memory only. A tenant's own backend sends its work under one name of staff, and much at once. */
const WAITING = {
  waiting: 4000,
  waitingPerTenant: 2000,
  waitingPerCaller: { STAFF: 1000, PARTNER: 1000, USER: 100, NODE: 100, ADDRESS: 100 },
  waitMsMax: 10_000,
};
/** How long after a redemption the next one is expected: its client reads the answer first. */
const URGENT_FOR_MS = 100;

/** How long a user has one redemption at once after a refusal. A flood of guesses is refused all the time. */
const REFUSED_FOR_MS = 250;
const REFUSED_MAX = 10_000;

/** Operations that cannot run wait with their texts and variables, until a turn says so. */
const REFUSALS: GateLimits = {
  atOnce: 1,
  waiting: 1000,
  waitingPerTenant: 500,
  waitingPerCaller: { STAFF: 100, PARTNER: 100, USER: 100, NODE: 100, ADDRESS: 100 },
  waitMsMax: 10_000,
};

/** Redemptions of any number of users at once, but of one user these; a flood of one user then delays itself. */
const REDEMPTIONS: GateLimits = {
  ...WAITING,
  atOnce: Infinity,
  atOncePerCaller: 8,
  waitingPerCaller: { ...WAITING.waitingPerCaller, USER: 1000 },
};

export type WorkKind = 'reads' | 'writes';
type Gate = WorkKind | 'refusals' | 'redemptions';

/**
 * The part of a process that everything but a redemption may take: this number of queries and changes at once, tenants and
 * callers in turn, and long work of the event loop in slices. Redemptions wait only for others of their user; while there are some, a
 * user reads one list at a time, a name of staff two, and slices keep a distance.
 */
export class WorkShares {
  readonly turns: LoopTurns;
  private readonly gates: Readonly<Record<Gate, FairGate>>;
  /** Users whose last redemption was refused, by {@link nameOf}. Afterwards nothing waits for one that hangs. */
  private readonly refusedLately = new LRUCache<string, Caller>({
    ...atMost(REFUSED_MAX),
    ttl: REFUSED_FOR_MS,
    ttlAutopurge: true,
    disposeAfter: (caller) => this.gates.redemptions.startNext(caller),
  });
  private urgent = 0;
  private urgentAtMs = -Infinity;

  /** @param atOnce of each kind, at most as many as there are connections for them */
  constructor(atOnce: Readonly<Record<WorkKind, number>>) {
    this.turns = new LoopTurns(this.isPressed);
    this.gates = {
      reads: new FairGate(limitsOf(atOnce.reads), this.isPressed),
      writes: new FairGate(limitsOf(atOnce.writes)),
      refusals: new FairGate(REFUSALS),
      redemptions: new FairGate(REDEMPTIONS, (caller) => this.refusedLately.has(nameOf(caller))),
    };
  }

  /** Whether redemptions are under way, or were a moment ago. */
  readonly isPressed = (): boolean => this.urgent > 0 || performance.now() - this.urgentAtMs < URGENT_FOR_MS;

  /**
   * Runs a redemption, before which the rest makes room. A user who was just refused has one at once: else a flood of
   * guesses would take the event loop and Redis from all others.
   * @throws GraphQLError RATE_LIMITED or SERVICE_UNAVAILABLE
   */
  async urgently<T>(caller: Caller, work: () => T | Promise<T>): Promise<T> {
    this.urgent += 1;
    let leave: (() => void) | null = null;
    try {
      leave = await this.enter('redemptions', caller);
      const result = await work();
      if (isRefused(result)) this.refusedLately.set(nameOf(caller), caller);
      else this.refusedLately.delete(nameOf(caller));
      return result;
    } finally {
      leave?.();
      this.urgent -= 1;
      this.urgentAtMs = performance.now();
    }
  }

  /**
   * Takes a place for one piece of work.
   * @returns how to leave it
   * @throws GraphQLError RATE_LIMITED or SERVICE_UNAVAILABLE
   */
  async enter(kind: Gate, caller: Caller): Promise<() => void> {
    try {
      return await this.gates[kind].enter(caller);
    } catch (error) {
      throw error instanceof BusyError ? busyAnswer(error) : error;
    }
  }

  /**
   * Waits until a refusal may be answered: a refused operation takes no other place, so nothing else bounds a flood.
   * @throws GraphQLError RATE_LIMITED or SERVICE_UNAVAILABLE, at once, where too many wait
   */
  async refusing(caller: Caller): Promise<void> {
    const leave = await this.enter('refusals', caller);
    try {
      await this.turns.next(caller);
    } finally {
      leave();
    }
  }

  /** A store did not answer: waiting work is refused now, not after a separate wait for the store. */
  failWaiting(kind: WorkKind, error: unknown, whose: (caller: Caller) => boolean): void {
    this.gates[kind].failWaiting(error, whose);
  }
}

function nameOf({ tenantId, id }: Caller): string {
  return `${tenantId} ${id}`;
}

/** Whether the same call would be refused again; the answer says so itself. */
function isRefused(result: unknown): boolean {
  if (typeof result !== 'object' || result === null || !('isLastingRefusal' in result)) return false;
  return result.isLastingRefusal === true;
}

function limitsOf(atOnce: number): GateLimits {
  return { atOnce, ...WAITING };
}
