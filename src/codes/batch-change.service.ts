import { LockMode, type EntityData } from '@mikro-orm/core';
import { z } from 'zod';
import type { Clock } from '../platform/clock.js';
import { DomainError } from '../platform/errors.js';
import { isId, type Id } from '../platform/ids.js';
import { instant, parseInput } from '../platform/input.js';
import type { Em } from '../platform/database/orm.js';
import type { Transactions } from '../platform/database/transaction.js';
import type { Outbox, OutboxDraft } from '../platform/outbox/outbox.js';
import type { TenantService } from '../tenancy/tenant.service.js';
import { NO_PACE } from './batch-pace.js';
import { CodeBatch, isGivenUp, isUnderWay, type BatchFailure } from './code-batch.entity.js';
import { isSet } from '../platform/assert.js';
import { batchChanged, batchProgressed } from './code-events.js';
import type { CodeRefresh } from './code-refresh.js';
import type { GuessSafety } from './guess-safety.service.js';
import type { BatchRefusal } from './code.errors.js';

const extendBatchInput = z.strictObject({ expiresAt: instant });

/** Hands a batch to the jobs; never throws. */
export type EnqueueBatch = (batch: Pick<CodeBatch, 'tenantId' | 'id'>) => Promise<void>;

/**
 * Freezes, voids, cancels, activates and extends batches by flags of the batch's row. Every commit reads the row under a
 * lock, so a change is effective at its commit, and costs the same for any number of codes.
 */
export class BatchChangeService {
  constructor(
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    private readonly outbox: Outbox,
    private readonly tenants: TenantService,
    private readonly refresh: CodeRefresh,
    private readonly guesses: GuessSafety,
    /** Codes of a batch that was given up are removed by a job. */
    private readonly enqueue: EnqueueBatch,
  ) {}

  /** @throws DomainError one of {@link FREEZE_BATCH_REFUSALS} */
  async freeze(tenantId: string, id: Id): Promise<CodeBatch> {
    return this.change(tenantId, id, (batch) => {
      assertNotVoided(batch);
      if (isSet(batch.frozenAt)) refuse('BATCH_FROZEN', 'The batch is frozen already.');
      return { frozenAt: new Date(this.clock.nowMs()) };
    });
  }

  /** @throws DomainError one of {@link UNFREEZE_BATCH_REFUSALS} */
  async unfreeze(tenantId: string, id: Id): Promise<CodeBatch> {
    return this.change(tenantId, id, (batch) => {
      assertNotVoided(batch);
      if (!isSet(batch.frozenAt)) refuse('BATCH_NOT_FROZEN', 'The batch is not frozen.');
      return { frozenAt: null };
    });
  }

  /** At the sale of its codes: from then on they can be redeemed. @throws DomainError one of {@link ACTIVATE_BATCH_REFUSALS} */
  async activate(tenantId: string, id: Id): Promise<CodeBatch> {
    return this.change(tenantId, id, (batch) => {
      assertNotVoided(batch);
      if (!batch.awaitsActivation) refuse('BATCH_ACTIVE', 'The batch is active already.');
      return { awaitsActivation: false, activatedAt: new Date(this.clock.nowMs()) };
    });
  }

  /**
   * Codes of the batch that would end earlier, or have ended, end at this instant; those without an end keep none.
   * @throws DomainError one of {@link EXTEND_BATCH_REFUSALS}
   */
  async extend(tenantId: string, id: Id, input: unknown): Promise<CodeBatch> {
    const { expiresAt } = parseInput<typeof extendBatchInput, BatchRefusal>(extendBatchInput, input, {
      input: 'INPUT_NOT_ALLOWED',
      expiresAt: 'EXPIRY_NOT_ALLOWED',
    });
    return this.change(tenantId, id, (batch) => {
      assertNotVoided(batch);
      const leastMs = Math.max(this.clock.nowMs(), batch.extendedTo?.getTime() ?? 0);
      if (expiresAt.getTime() <= leastMs) {
        const least = new Date(leastMs).toISOString();
        refuse('EXPIRY_NOT_LATER', `An extension must end after ${least}.`, 'expiresAt');
      }
      return { extendedTo: expiresAt };
    });
  }

  /** For good; its codes' quota is given back. One under way is cancelled. @throws DomainError one of {@link VOID_BATCH_REFUSALS} */
  async void(tenantId: string, id: Id): Promise<CodeBatch> {
    return this.change(
      tenantId,
      id,
      (batch) => {
        assertNotVoided(batch);
        return this.voided(batch);
      },
      async (em, batch) => this.giveBack(em, [batch]),
    );
  }

  /** Ends the generation of a batch: none of its codes will ever be redeemable. @throws DomainError one of {@link CANCEL_BATCH_REFUSALS} */
  async cancel(tenantId: string, id: Id): Promise<CodeBatch> {
    return this.change(
      tenantId,
      id,
      (batch) => {
        assertNotVoided(batch);
        if (isUnderWay(batch)) return this.givenUp('CANCELLED');
        if (batch.status === 'READY')
          return refuse('BATCH_READY', 'All codes of the batch are there: void it instead.');
        return batch.status === 'FAILED'
          ? refuse('BATCH_FAILED', 'The generation of the batch has failed.')
          : refuse('BATCH_CANCELLED', 'The batch is cancelled already.');
      },
      async (em, batch) => this.giveBack(em, [batch]),
    );
  }

  /** The jobs cannot make its codes. @returns whether it was under way; otherwise it is left alone */
  async fail(tenantId: string, id: Id, failure: BatchFailure): Promise<boolean> {
    let wasUnderWay = false;
    await this.change(
      tenantId,
      id,
      (batch) => {
        wasUnderWay = isUnderWay(batch);
        return wasUnderWay ? { ...this.givenUp('FAILED'), failure } : null;
      },
      async (em, batch) => this.giveBack(em, [batch]),
    );
    return wasUnderWay;
  }

  /** All of a campaign that is deleted: its row is locked, so no batch is added meanwhile. */
  async voidAll(em: Em, tenantId: string, campaignId: Id): Promise<void> {
    const batches = await em.find(
      CodeBatch,
      { campaignId, voidedAt: null },
      {
        orderBy: { id: 'asc' },
        // A scan would wait for batches of other campaigns that are being generated.
        indexHint: 'force index (ix_code_batch__campaign)',
        lockMode: LockMode.PESSIMISTIC_WRITE,
        disableIdentityMap: true,
      },
    );
    for (const batch of batches) {
      const values = { ...this.voided(batch), version: batch.version + 1 };
      await em.nativeUpdate(CodeBatch, { id: batch.id }, values);
      this.outbox.append(em, tenantId, eventsOf(batch, { ...batch, ...values }));
    }
    await this.giveBack(em, batches);
  }

  /** The codes of a campaign that ends can no longer be hit by a guess; its row is locked, so no batch is added meanwhile. */
  async ended(em: Em, tenantId: string, campaignId: Id): Promise<void> {
    const batches = await em.find(CodeBatch, { campaignId }, { fields: ['id'], disableIdentityMap: true });
    const ids = batches.map(({ id }) => id);
    await this.guesses.drop(em, tenantId, ids);
  }

  /** The codes of one under way are removed by the job that was to make them. */
  private voided(batch: CodeBatch) {
    const voidedAt = new Date(this.clock.nowMs());
    return isUnderWay(batch) ? { voidedAt, ...this.givenUp('CANCELLED') } : { voidedAt };
  }

  private givenUp<Status extends 'FAILED' | 'CANCELLED'>(status: Status) {
    return { status, finishedAt: new Date(this.clock.nowMs()) };
  }

  /**
   * The quota that batches of one campaign, as they were, have held: that of their live codes, and of those still to be
   * made. Deleted codes have given theirs back; a later deletion sees that the batch holds none. A guess no longer hits
   * any of them.
   */
  private async giveBack(em: Em, batches: readonly CodeBatch[]): Promise<void> {
    const holding = batches.filter((batch) => !isGivenUp(batch));
    const [first] = holding;
    if (first === undefined) return;
    const missing = holding
      .filter(isUnderWay)
      .reduce((sum, { requested, generated }) => sum + requested - generated, 0);
    // The totals: of millions of codes none is read. Deletions and chunks wait for the lock of the batch.
    const [row] = await em.execute<[{ live: number }]>(
      `select cast(coalesce(sum(total), 0) as signed) as live from code_total
        where tenant_id = ? and campaign_id = ? and batch_id in (?)`,
      [first.tenantId, first.campaignId, holding.map(({ id }) => id)],
    );
    await this.tenants.giveBackCodes(em, first.tenantId, row.live + missing);
    await this.guesses.drop(
      em,
      first.tenantId,
      holding.map(({ id }) => id),
    );
  }

  /** @param decide the new values; null leaves the batch alone */
  private async change(
    tenantId: string,
    id: Id,
    decide: (batch: CodeBatch) => EntityData<CodeBatch> | null,
    within: (em: Em, before: CodeBatch) => Promise<void> = async () => undefined,
  ): Promise<CodeBatch> {
    const changed = await this.transactions.run(tenantId, async (em) => {
      const batch = isId(id) ? await find(em, id, LockMode.PESSIMISTIC_WRITE) : null;
      if (batch === null) return refuse('BATCH_NOT_FOUND', 'The tenant has no batch with this id.');
      const values = decide(batch);
      if (values === null) return batch;
      await em.nativeUpdate(CodeBatch, { id }, { ...values, version: batch.version + 1 });
      const after = (await find(em, id, LockMode.NONE)) ?? batch;
      this.outbox.append(em, tenantId, eventsOf(batch, after));
      await within(em, batch);
      return after;
    });
    if (isGivenUp(changed) && changed.generated > 0) await this.enqueue(changed);
    await this.refresh.added(tenantId);
    return changed;
  }
}

function eventsOf(before: CodeBatch, after: CodeBatch): OutboxDraft[] {
  const changed = batchChanged(after);
  return after.status === before.status ? [changed] : [changed, batchProgressed(after, NO_PACE)];
}

function assertNotVoided({ voidedAt }: CodeBatch): void {
  if (isSet(voidedAt)) refuse('BATCH_VOIDED', 'The batch has been voided, which cannot be undone.');
}

async function find(em: Em, id: Id, lockMode: LockMode): Promise<CodeBatch | null> {
  return em.findOne(CodeBatch, { id }, { disableIdentityMap: true, lockMode });
}

function refuse(code: BatchRefusal, message: string, field = 'batchId'): never {
  throw new DomainError(code, message, { field: ['input', field] });
}
