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
  /** Clients that were just answered, and have not sent another request since. */
  returning: number;
  /** When the last of them was answered. */
  answeredMs: number;
  /** From then on commits wait for clients to return; later than now where they did not the last time. */
  waitsFromMs: number;
}

const EMPTY = {
  firstMs: 0,
  busyLanes: 0,
  expected: 0,
  aside: 0,
  returning: 0,
  answeredMs: -Infinity,
  waitsFromMs: 0,
};

/** Tenants whose commits are under way at once; others wait, because each lane takes a connection. */
export const TENANTS_AT_ONCE = 4;
/** A commit waits until this share of the requests under way, and of clients about to return, can go with it. */
const SHARE_OF_EXPECTED = 0.75;
/** How long it waits at most after its first claim came, and once more where clients were answered meanwhile. */
const HOLD_BACK_MS = 20;
/** How long no commit waits for clients to return after one has waited in vain. */
const NO_RETURNS_MS = 1000;
/** How often queues are looked at that may have become idle. */
const FORGET_EVERY_MS = 1000;

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
  private nextLook: { readonly atMs: number; readonly timer: NodeJS.Timeout } | null = null;
  private forgetting: NodeJS.Timeout | null = null;

  /** @param commit Settles all claims of a batch. Resolves when the next one may begin. */
  constructor(
    private readonly commit: (tenantId: string, batch: readonly QueuedClaim[]) => Promise<void>,
    private readonly settings: GroupCommitSettings,
  ) {}

  /** A request is under way that may bring a claim. @returns what to call when it has ended, committed or not */
  expect(tenantId: string): (isCommitted: boolean) => void {
    const queue = this.queueOf(tenantId);
    queue.expected += 1;
    if (queue.returning > 0) queue.returning -= 1;
    return (isCommitted) => {
      queue.expected -= 1;
      if (isCommitted) {
        queue.returning += 1;
        queue.answeredMs = performance.now();
      }
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
    const outcome = new Promise<CommitOutcome>((resolve, reject) => {
      const queue = this.queueOf(claim.tenantId);
      if (queue.waiting.length === 0) queue.firstMs = performance.now();
      queue.waiting.push({ claim, resolve, reject });
      this.wake();
    }).finally(() => this.inFlight.delete(claim.redemptionId));
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
      this.forgetting ??= setTimeout(() => this.forgetIdle(), FORGET_EVERY_MS).unref();
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
    const nowMs = performance.now();
    for (const [tenantId, queue] of this.queues) {
      forgetReturning(queue, nowMs);
      while (queue.waiting.length > 0 && queue.busyLanes < lanes) {
        const waitsUntilMs = this.isWorthwhile(queue, nowMs) ? nowMs : heldUntilMs(queue);
        if (waitsUntilMs > nowMs) {
          this.lookAgainAt(waitsUntilMs);
          break;
        }
        if (this.busyLanes >= lanes * TENANTS_AT_ONCE) return;
        void this.runLane(tenantId, queue);
      }
    }
  }

  /** Whether enough of the claims that can be expected are there. */
  private isWorthwhile({ waiting, expected, returning, waitsFromMs }: TenantQueue, nowMs: number): boolean {
    const wanted = expected + (nowMs < waitsFromMs ? 0 : returning);
    return waiting.length >= Math.min(wanted * SHARE_OF_EXPECTED, this.settings.batchMax);
  }

  /** One timer for all tenants: the earliest look counts. */
  private lookAgainAt(atMs: number): void {
    if (this.nextLook !== null && this.nextLook.atMs <= atMs) return;
    clearTimeout(this.nextLook?.timer);
    const look = (): void => {
      this.nextLook = null;
      this.startLanes();
    };
    this.nextLook = { atMs, timer: setTimeout(look, Math.max(1, Math.ceil(atMs - performance.now()))) };
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
    this.forgetting =
      this.queues.size === 0 ? null : setTimeout(() => this.forgetIdle(), FORGET_EVERY_MS).unref();
  }
}

/** Clients that have not returned in time are not waited for. */
function forgetReturning(queue: TenantQueue, nowMs: number): void {
  const returnedByMs = queue.answeredMs + HOLD_BACK_MS;
  if (nowMs < returnedByMs) return;
  const { waiting, firstMs, returning } = queue;
  const isHeldInVain = waiting.length > 0 && firstMs < returnedByMs && returning >= waiting.length;
  if (isHeldInVain) queue.waitsFromMs = nowMs + NO_RETURNS_MS;
  queue.returning = 0;
}

function heldUntilMs({ firstMs, answeredMs }: TenantQueue): number {
  return Math.min(Math.max(firstMs, answeredMs), firstMs + HOLD_BACK_MS) + HOLD_BACK_MS;
}

function isIdle({ waiting, expected, aside, busyLanes }: TenantQueue): boolean {
  return waiting.length + expected + aside + busyLanes === 0;
}
