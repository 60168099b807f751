import type { Id } from '../../platform/ids.js';
import type { Claim } from '../claim/claim.js';
import type { CommitOutcome } from './commit-outcome.js';

export interface GroupCommitSettings {
  /** Claims that one transaction commits at most; 1 switches group commit off. */
  readonly batchMax: number;
  /** Commits of one tenant under way at once. */
  readonly lanes: number;
}

/** A claim in the queue, and its caller. */
export interface QueuedClaim {
  readonly claim: Claim;
  readonly resolve: (outcome: CommitOutcome) => void;
  readonly reject: (error: unknown) => void;
}

interface TenantQueue {
  readonly waiting: QueuedClaim[];
  /** When the first of them came, by the process' own clock. */
  firstMs: number;
  busyLanes: number;
  /** Requests under way that may bring a claim. */
  expected: number;
  /** Requests under way that wait for others. */
  aside: number;
  /** Settled claims whose clients have not sent another request since. */
  returning: number;
  /** When the last of them was settled. */
  settledMs: number;
  /** Until then no commit waits for clients to return, because they did not the last time. */
  doubtUntilMs: number;
}

const EMPTY = {
  firstMs: 0,
  busyLanes: 0,
  expected: 0,
  aside: 0,
  returning: 0,
  settledMs: -Infinity,
  doubtUntilMs: 0,
};

/** Tenants whose commits are under way at once; others wait, because each lane takes a connection. */
export const TENANTS_AT_ONCE = 4;
/** A commit waits until this share of the requests under way, and of those about to return, can go with it, */
const SHARE_OF_EXPECTED = 0.75;
/** but no longer than this for claims that are there, counted from the last commit. */
const HOLD_BACK_MS = 20;
const DOUBT_MS = 1000;

/**
 * Collects claims, and hands them on in batches of one tenant. Two half commits cost twice what one whole does: a batch
 * waits a moment for requests that are under way, and for clients that were just answered and send their next request
 * at once. A lone request does not wait.
 */
export class GroupCommit {
  /** A tenant whose turn is over goes to the end. */
  private readonly queues = new Map<string, TenantQueue>();
  private readonly inFlight = new Map<Id, Promise<CommitOutcome>>();
  private busyLanes = 0;
  private isWoken = false;
  private lookAgain: NodeJS.Timeout | null = null;
  private forgetting: NodeJS.Timeout | null = null;

  /** @param commit Settles all claims of a batch. Resolves when the next one may begin. */
  constructor(
    private readonly commit: (tenantId: string, batch: readonly QueuedClaim[]) => Promise<void>,
    private readonly settings: GroupCommitSettings,
  ) {}

  /** A request is under way that may bring a claim. @returns what to call when it has ended */
  expect(tenantId: string): () => void {
    const queue = this.queueOf(tenantId);
    queue.expected += 1;
    if (queue.returning > 0) queue.returning -= 1;
    return () => {
      queue.expected -= 1;
      if (queue.waiting.length > 0) this.wake();
    };
  }

  /** While an expected request waits for others it brings no claim, and commits do not wait for it. */
  async aside<T>(tenantId: string, waiting: Promise<T>): Promise<T> {
    const queue = this.queueOf(tenantId);
    queue.expected -= 1;
    queue.aside += 1;
    if (queue.waiting.length > 0) this.wake();
    return waiting.finally(() => {
      queue.aside -= 1;
      queue.expected += 1;
    });
  }

  /** Commits a claim. The same id joins the commit that is under way for it. */
  async settle(claim: Claim): Promise<CommitOutcome> {
    const underWay = this.inFlight.get(claim.redemptionId);
    if (underWay !== undefined) return underWay;
    const queue = this.queueOf(claim.tenantId);
    const outcome = new Promise<CommitOutcome>((resolve, reject) => {
      if (queue.waiting.length === 0) queue.firstMs = performance.now();
      queue.waiting.push({ claim, resolve, reject });
      this.wake();
    }).finally(() => {
      this.inFlight.delete(claim.redemptionId);
      queue.returning += 1;
      queue.settledMs = performance.now();
    });
    this.inFlight.set(claim.redemptionId, outcome);
    return outcome;
  }

  /** The commit of a redemption that is under way in this process. */
  joining(redemptionId: Id): Promise<CommitOutcome> | undefined {
    return this.inFlight.get(redemptionId);
  }

  /** Resolves when no claim is left to commit. */
  async drained(): Promise<void> {
    while (this.inFlight.size > 0) await Promise.allSettled(this.inFlight.values());
  }

  private queueOf(tenantId: string): TenantQueue {
    let queue = this.queues.get(tenantId);
    if (queue === undefined) {
      queue = { ...EMPTY, waiting: [] };
      this.queues.set(tenantId, queue);
      this.forgetting ??= setTimeout(() => this.forgetIdle(), DOUBT_MS).unref();
    }
    return queue;
  }

  /** Requests of the same turn of the event loop go together. */
  private wake(): void {
    if (this.isWoken) return;
    this.isWoken = true;
    setImmediate(() => {
      this.isWoken = false;
      this.startLanes();
    });
  }

  private startLanes(): void {
    const { lanes } = this.settings;
    for (const [tenantId, queue] of this.queues) {
      while (queue.waiting.length > 0 && queue.busyLanes < lanes && this.isWorthwhile(queue)) {
        if (this.busyLanes >= lanes * TENANTS_AT_ONCE) return;
        void this.runLane(tenantId, queue);
      }
    }
  }

  private isWorthwhile(queue: TenantQueue): boolean {
    const { waiting, expected, firstMs, settledMs } = queue;
    const nowMs = performance.now();
    if (nowMs >= settledMs + HOLD_BACK_MS) {
      const heldInVain = firstMs < settledMs + HOLD_BACK_MS && queue.returning >= waiting.length;
      if (heldInVain) queue.doubtUntilMs = nowMs + DOUBT_MS;
      queue.returning = 0;
    }
    const returning = nowMs < queue.doubtUntilMs ? 0 : queue.returning;
    const enough = Math.min((expected + returning) * SHARE_OF_EXPECTED, this.settings.batchMax);
    const sinceMs = returning > 0 ? settledMs : Math.max(firstMs, settledMs);
    const leftMs = sinceMs + HOLD_BACK_MS - nowMs;
    if (waiting.length >= enough || leftMs <= 0) return true;
    this.lookAgain ??= setTimeout(() => {
      this.lookAgain = null;
      this.startLanes();
    }, leftMs);
    return false;
  }

  private async runLane(tenantId: string, queue: TenantQueue): Promise<void> {
    const batch = queue.waiting.splice(0, this.settings.batchMax);
    queue.firstMs = performance.now();
    queue.busyLanes += 1;
    this.busyLanes += 1;
    try {
      await this.commit(tenantId, batch);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    queue.busyLanes -= 1;
    this.busyLanes -= 1;
    // Behind the tenants that wait.
    this.queues.delete(tenantId);
    this.queues.set(tenantId, queue);
    this.startLanes();
  }

  private forgetIdle(): void {
    for (const [tenantId, queue] of this.queues) if (isIdle(queue)) this.queues.delete(tenantId);
    this.forgetting = this.queues.size === 0 ? null : setTimeout(() => this.forgetIdle(), DOUBT_MS).unref();
  }
}

function isIdle({ waiting, expected, aside, busyLanes }: TenantQueue): boolean {
  return waiting.length + expected + aside + busyLanes === 0;
}
