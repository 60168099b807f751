import { BusyError, FairGate, type GateLimits } from '../platform/fair-gate.js';
import type { Caller } from '../platform/fair-queue.js';
import { LoopTurns } from '../platform/loop-turns.js';
import { rateLimited } from './caller.js';

/** Waiting work costs memory only; a caller who sends more at once is told to slow down. */
const WAITING = { waiting: 2000, waitingPerCaller: 100, waitMsMax: 10_000 };
/** Of the connections that changes share with redemptions, less than half. */
const WRITES_AT_ONCE = 6;

export type WorkKind = 'reads' | 'writes';

/**
 * The part of a process that everything but a redemption may take: so many queries and changes at once for each
 * caller and tenant, the others in turn, and long work of the event loop in slices. Redemptions pass none of it.
 */
export class WorkShares {
  readonly turns = new LoopTurns();
  private readonly gates: Readonly<Record<WorkKind, FairGate>>;

  /** @param readsAtOnce at most as many as there are connections for them */
  constructor(readsAtOnce: number) {
    this.gates = {
      reads: new FairGate(limitsOf(readsAtOnce)),
      writes: new FairGate(limitsOf(WRITES_AT_ONCE)),
    };
  }

  /**
   * Takes a place for one piece of work.
   * @returns how to leave it
   * @throws GraphQLError RATE_LIMITED
   */
  async enter(kind: WorkKind, caller: Caller): Promise<() => void> {
    try {
      return await this.gates[kind].enter(caller);
    } catch (error) {
      if (!(error instanceof BusyError)) throw error;
      throw rateLimited(
        'You have too many requests under way. Wait for their answers, then send this one again.',
        error.retryAfterMs,
      );
    }
  }

  /** A store did not answer: what waits for its turn is told now, not after a wait of its own for the store. */
  failWaiting(kind: WorkKind, error: unknown, whose: (caller: Caller) => boolean): void {
    this.gates[kind].failWaiting(error, whose);
  }
}

/** No tenant takes more than half of it, and no caller more than a quarter. */
function limitsOf(atOnce: number): GateLimits {
  const share = (part: number): number => Math.max(1, Math.floor(atOnce * part));
  return { atOnce, perTenant: share(0.5), perCaller: share(0.25), ...WAITING };
}
