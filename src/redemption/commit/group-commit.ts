import { InvariantError, present } from '../../platform/assert.js';
import { StoreUnavailableError } from '../../platform/errors.js';
import type { Id } from '../../platform/ids.js';
import type { Logger } from '../../platform/observability/log.js';
import type { Claim } from '../claim/claim.js';
import type { CommitOutcome } from './commit-outcome.js';

export interface GroupCommitSettings {
  /** Claims that one transaction commits at most; 1 switches group commit off. */
  readonly batchMax: number;
  /** Commits under way at once. */
  readonly lanes: number;
}

type Outcomes = ReadonlyMap<Id, CommitOutcome>;

/** What is done with the claims of a batch, which are of one tenant. */
export interface GroupCommitSteps {
  /** Commits them in one transaction. */
  commit(tenantId: string, claims: readonly Claim[]): Promise<Outcomes>;
  /** Tells Redis, after the commit and before the answers. Never throws: nothing can undo the commit. */
  close(tenantId: string, claims: readonly Claim[], outcomes: Outcomes): Promise<void>;
  /**
   * For a claim that cannot be committed, alone and in good health of the database. Never throws.
   * @returns what somebody else had settled it to before; null when nobody had
   */
  abortOne(claim: Claim): Promise<CommitOutcome | null>;
}

interface Waiting {
  readonly claim: Claim;
  readonly resolve: (outcome: CommitOutcome) => void;
  readonly reject: (error: unknown) => void;
  /** By the process' own clock. */
  readonly sinceMs: number;
}

/** So long a claim waits for others at most, while a commit of its tenant is under way. */
const HOLD_BACK_MS = 20;

/**
 * Group commit: claims that arrive while a commit of their tenant is under way form the next one. So a lone claim
 * waits for nobody, and under load one transaction, and one write to the disk, serves many.
 */
export class GroupCommit {
  /** By tenant, in order of arrival; a tenant whose turn is over goes to the end. */
  private readonly queues = new Map<string, Waiting[]>();
  private readonly inFlight = new Map<Id, Promise<CommitOutcome>>();
  private busyLanes = 0;
  /** Claims in commits, by tenant. */
  private readonly underWay = new Map<string, number>();
  private lookAgain: NodeJS.Timeout | null = null;
  private isWoken = false;

  constructor(
    private readonly steps: GroupCommitSteps,
    private readonly settings: GroupCommitSettings,
    private readonly log: Logger,
  ) {}

  /** Commits a claim. The same id joins the commit that is under way for it. */
  async submit(claim: Claim): Promise<CommitOutcome> {
    const underWay = this.inFlight.get(claim.redemptionId);
    if (underWay !== undefined) return underWay;
    const outcome = new Promise<CommitOutcome>((resolve, reject) => {
      this.enqueue({ claim, resolve, reject, sinceMs: performance.now() });
    }).finally(() => this.inFlight.delete(claim.redemptionId));
    this.inFlight.set(claim.redemptionId, outcome);
    return outcome;
  }

  /** Joins the commit of a redemption that is under way in this process. */
  joining(redemptionId: Id): Promise<CommitOutcome> | undefined {
    return this.inFlight.get(redemptionId);
  }

  /** Resolves when no claim is left to commit. */
  async drained(): Promise<void> {
    while (this.inFlight.size > 0) await Promise.allSettled(this.inFlight.values());
  }

  private enqueue(waiting: Waiting): void {
    const queue = this.queues.get(waiting.claim.tenantId);
    if (queue === undefined) this.queues.set(waiting.claim.tenantId, [waiting]);
    else queue.push(waiting);
    if (this.isWoken) return;
    // Requests of the same turn of the event loop go together.
    this.isWoken = true;
    setImmediate(() => {
      this.isWoken = false;
      this.startLanes();
    });
  }

  private startLanes(): void {
    for (const tenantId of this.queues.keys()) {
      if (this.busyLanes >= this.settings.lanes) return;
      if (!this.isWorthwhile(tenantId)) continue;
      void this.runLane(tenantId, this.takeBatch(tenantId));
    }
  }

  /**
   * A claim waits for nobody, unless a commit of its tenant is under way: then it waits until as many are together,
   * because two half commits cost twice what one whole does; but not for long.
   */
  private isWorthwhile(tenantId: string): boolean {
    const queue = this.queues.get(tenantId) ?? [];
    const underWay = this.underWay.get(tenantId) ?? 0;
    if (underWay === 0 || queue.length >= Math.min(underWay, this.settings.batchMax)) return true;
    const waitedMs = performance.now() - present(queue[0], 'The first claim of a queue').sinceMs;
    if (waitedMs >= HOLD_BACK_MS) return true;
    this.lookAgain ??= setTimeout(() => {
      this.lookAgain = null;
      this.startLanes();
    }, HOLD_BACK_MS - waitedMs);
    return false;
  }

  private async runLane(tenantId: string, batch: readonly Waiting[]): Promise<void> {
    this.busyLanes += 1;
    this.count(tenantId, batch.length);
    await this.settle(batch);
    this.count(tenantId, -batch.length);
    this.busyLanes -= 1;
    this.startLanes();
  }

  private count(tenantId: string, claims: number): void {
    const underWay = (this.underWay.get(tenantId) ?? 0) + claims;
    if (underWay === 0) this.underWay.delete(tenantId);
    else this.underWay.set(tenantId, underWay);
  }

  private takeBatch(tenantId: string): Waiting[] {
    const queue = this.queues.get(tenantId) ?? [];
    const batch = queue.splice(0, this.settings.batchMax);
    this.queues.delete(tenantId);
    if (queue.length > 0) this.queues.set(tenantId, queue);
    return batch;
  }

  /** Never throws: nobody waits for it. */
  private async answer(
    batch: readonly Waiting[],
    claims: readonly Claim[],
    outcomes: Outcomes,
  ): Promise<void> {
    try {
      await this.steps.close(present(claims[0], 'The first claim of a batch').tenantId, claims, outcomes);
    } catch (error) {
      this.log.error({ err: error, claims: claims.length }, 'committed claims could not be closed');
    }
    for (const { claim, resolve, reject } of batch) {
      const outcome = outcomes.get(claim.redemptionId);
      if (outcome === undefined) reject(new InvariantError('A claim was left out of its batch.'));
      else resolve(outcome);
    }
  }

  /**
   * Commits a batch, and takes it apart when it fails, until only the bad claim is refused. Claims of a batch are
   * answered as soon as they are settled.
   */
  private async settle(batch: readonly Waiting[]): Promise<void> {
    const first = present(batch[0], 'The first claim of a batch');
    try {
      const claims = batch.map((waiting) => waiting.claim);
      const outcomes = await this.steps.commit(first.claim.tenantId, claims);
      // The lane is free for the next commit while Redis is told of this one.
      void this.answer(batch, claims, outcomes);
    } catch (error) {
      if (error instanceof StoreUnavailableError) {
        // Whether it was committed is not known, so the claims stay open: a retry adopts them.
        this.log.error({ err: error, claims: batch.length }, 'the database is away, claims stay open');
        for (const { reject } of batch) reject(error);
        return;
      }
      if (batch.length === 1) {
        this.log.error({ err: error, redemptionId: first.claim.redemptionId }, 'a claim cannot be committed');
        const outcome = await this.steps.abortOne(first.claim);
        if (outcome === null) first.reject(error);
        else first.resolve(outcome);
        return;
      }
      this.log.warn({ err: error, claims: batch.length }, 'commit failed, the batch is split');
      const half = Math.ceil(batch.length / 2);
      await this.settle(batch.slice(0, half));
      await this.settle(batch.slice(half));
    }
  }
}
