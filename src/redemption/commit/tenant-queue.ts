import type { Claim } from '../claim/claim.js';
import type { CommitOutcome } from './commit-outcome.js';

/** A claim in the queue, and its caller. */
export interface QueuedClaim {
  readonly claim: Claim;
  readonly resolve: (outcome: CommitOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/** A commit waits until this share of the requests under way, and of clients about to return, can go with it. */
const SHARE_OF_EXPECTED = 0.75;
/** How long it waits at most after its first claim came, and once more where clients were answered meanwhile. */
const HOLD_BACK_MS = 20;
/** How long an idle tenant is known to go alone. */
const ALONE_KEPT_MS = 60_000;
/** How long no commit waits for clients to return after one has waited in vain. */
const NO_RETURNS_MS = 1000;

/** The claims of one tenant that wait for their commit, and what is known of those to come. Times are of the process' own clock. */
export class TenantQueue {
  /** Commits of this tenant under way. */
  busyLanes = 0;
  /** Whether the one under way commits claims of other tenants, too. */
  isShared = false;
  /** Whether its last commit did not go well: the next one is without claims of other tenants. */
  isAlone = false;
  /** When the first claim came that waits; where none does, when the last ones were taken. */
  firstMs = 0;
  private readonly waiting: QueuedClaim[] = [];
  /** Requests under way that may bring a claim. */
  private expected = 0;
  /** Requests under way that wait for others. */
  private aside = 0;
  /** Clients that were just answered, and have not sent another request since. */
  private returning = 0;
  /** When the last of them was answered. */
  private answeredMs = -Infinity;
  /** From then on commits wait for clients to return; later than now where they did not the last time. */
  private waitsFromMs = 0;

  constructor(readonly tenantId: string) {}

  get length(): number {
    return this.waiting.length;
  }

  /** Nothing is under way, and what is known of the last commit counts no more. */
  isForgotten(nowMs: number): boolean {
    const isIdle = this.waiting.length + this.expected + this.aside + this.busyLanes === 0;
    return isIdle && (!this.isAlone || nowMs - this.firstMs >= ALONE_KEPT_MS);
  }

  add(queued: QueuedClaim): void {
    if (this.waiting.length === 0) this.firstMs = performance.now();
    this.waiting.push(queued);
  }

  take(countMax: number): QueuedClaim[] {
    this.firstMs = performance.now();
    return this.waiting.splice(0, countMax);
  }

  /** They have waited already, and go first. */
  putBack(queued: readonly QueuedClaim[]): void {
    this.waiting.unshift(...queued);
    this.firstMs = -Infinity;
  }

  /** A request is under way that may bring a claim. */
  begin(): void {
    this.expected += 1;
    if (this.returning > 0) this.returning -= 1;
  }

  end(isCommitted: boolean): void {
    this.expected -= 1;
    if (!isCommitted) return;
    this.returning += 1;
    this.answeredMs = performance.now();
  }

  stepAside(): void {
    this.expected -= 1;
    this.aside += 1;
  }

  stepBack(): void {
    this.aside -= 1;
    this.expected += 1;
  }

  /** Clients that have not returned in time are not waited for. */
  forgetReturning(nowMs: number): void {
    const returnedByMs = this.answeredMs + HOLD_BACK_MS;
    if (nowMs < returnedByMs) return;
    const { waiting, firstMs, returning } = this;
    const isHeldInVain = waiting.length > 0 && firstMs < returnedByMs && returning >= waiting.length;
    if (isHeldInVain) this.waitsFromMs = nowMs + NO_RETURNS_MS;
    this.returning = 0;
  }

  /** Until when a batch waits for more; not at all where enough of the claims that can be expected are there. */
  heldUntilMs(nowMs: number, batchMax: number): number {
    const { waiting, expected, returning, firstMs, answeredMs } = this;
    const wanted = expected + (nowMs < this.waitsFromMs ? 0 : returning);
    if (waiting.length >= Math.min(wanted * SHARE_OF_EXPECTED, batchMax)) return nowMs;
    return Math.min(Math.max(firstMs, answeredMs), firstMs + HOLD_BACK_MS) + HOLD_BACK_MS;
  }
}
