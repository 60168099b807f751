import { LockMode, raw, type EntityData, type RawQueryFragment } from '@mikro-orm/core';
import { z } from 'zod';
import type { Clock } from '../platform/clock.js';
import { DomainError } from '../platform/errors.js';
import { isId, type Id } from '../platform/ids.js';
import { instant, parseInput } from '../platform/input.js';
import type { Em } from '../platform/database/orm.js';
import type { Transactions } from '../platform/database/transaction.js';
import type { Outbox } from '../platform/outbox/outbox.js';
import type { TenantService } from '../tenancy/tenant.service.js';
import { CodeBatch } from './code-batch.entity.js';
import { isSet } from '../platform/assert.js';
import { batchChanged } from './code-events.js';
import type { CodeRefresh } from './code-refresh.js';
import { Code } from './code.entity.js';
import type { BatchRefusal } from './code.errors.js';

const extendBatchInput = z.strictObject({ expiresAt: instant });

/**
 * Freezes, voids, activates and extends batches: flags of the batch's row, which every commit reads under a lock, and never updates of
 * its codes. So they count from the moment that they are committed, however many codes there are.
 */
export class BatchChangeService {
  constructor(
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    private readonly outbox: Outbox,
    private readonly tenants: TenantService,
    private readonly refresh: CodeRefresh,
  ) {}

  /** @throws DomainError one of {@link FREEZE_BATCH_REFUSALS} */
  async freeze(tenantId: string, id: Id): Promise<CodeBatch> {
    return this.change(tenantId, id, (batch) => {
      if (isSet(batch.frozenAt)) refuse('BATCH_FROZEN', 'The batch is frozen already.');
      return { frozenAt: new Date(this.clock.nowMs()) };
    });
  }

  /** @throws DomainError one of {@link UNFREEZE_BATCH_REFUSALS} */
  async unfreeze(tenantId: string, id: Id): Promise<CodeBatch> {
    return this.change(tenantId, id, (batch) => {
      if (!isSet(batch.frozenAt)) refuse('BATCH_NOT_FROZEN', 'The batch is not frozen.');
      return { frozenAt: null };
    });
  }

  /** At the sale of its codes: from then on they can be redeemed. @throws DomainError one of {@link ACTIVATE_BATCH_REFUSALS} */
  async activate(tenantId: string, id: Id): Promise<CodeBatch> {
    return this.change(tenantId, id, (batch) => {
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
    return this.change(tenantId, id, ({ extendedTo }) => {
      const leastMs = Math.max(this.clock.nowMs(), extendedTo?.getTime() ?? 0);
      if (expiresAt.getTime() <= leastMs) {
        const least = new Date(leastMs).toISOString();
        refuse('EXPIRY_NOT_LATER', `An extension must end after ${least}.`, 'expiresAt');
      }
      return { extendedTo: expiresAt };
    });
  }

  /** For good; its codes' quota is given back. @throws DomainError one of {@link VOID_BATCH_REFUSALS} */
  async void(tenantId: string, id: Id): Promise<CodeBatch> {
    return this.change(
      tenantId,
      id,
      () => ({ voidedAt: new Date(this.clock.nowMs()) }),
      // Deleted codes have given theirs back; a later deletion sees that the batch is void.
      async (em) =>
        this.tenants.giveBackCodes(em, tenantId, await em.count(Code, { batchId: id, deletedAt: null })),
    );
  }

  /** All of a campaign that is deleted: its row is locked, so no batch is added meanwhile. */
  async voidAll(em: Em, tenantId: string, campaignId: Id): Promise<void> {
    const options = { orderBy: { id: 'asc' }, disableIdentityMap: true } as const;
    const where = { campaignId, voidedAt: null };
    const batches = await em.find(CodeBatch, where, { ...options, lockMode: LockMode.PESSIMISTIC_WRITE });
    if (batches.length === 0) return;
    const ids = batches.map(({ id }) => id);
    const voidedAt = new Date(this.clock.nowMs());
    await em.nativeUpdate(
      CodeBatch,
      { id: { $in: ids } },
      { voidedAt, version: raw<RawQueryFragment>('version + 1') },
    );
    const after = batches.map((batch) => ({ ...batch, voidedAt, version: batch.version + 1 }));
    this.outbox.append(em, tenantId, after.map(batchChanged));
    const left = await em.count(Code, { batchId: { $in: ids }, deletedAt: null });
    await this.tenants.giveBackCodes(em, tenantId, left);
  }

  private async change(
    tenantId: string,
    id: Id,
    decide: (batch: CodeBatch) => EntityData<CodeBatch>,
    within: (em: Em) => Promise<void> = async () => undefined,
  ): Promise<CodeBatch> {
    const changed = await this.transactions.run(tenantId, async (em) => {
      const batch = isId(id) ? await find(em, id, LockMode.PESSIMISTIC_WRITE) : null;
      if (batch === null) return refuse('BATCH_NOT_FOUND', 'The tenant has no batch with this id.');
      if (isSet(batch.voidedAt)) refuse('BATCH_VOIDED', 'The batch has been voided, which cannot be undone.');
      await em.nativeUpdate(CodeBatch, { id }, { ...decide(batch), version: batch.version + 1 });
      const after = (await find(em, id, LockMode.NONE)) ?? batch;
      this.outbox.append(em, tenantId, [batchChanged(after)]);
      await within(em);
      return after;
    });
    await this.refresh.added(tenantId);
    return changed;
  }
}

async function find(em: Em, id: Id, lockMode: LockMode): Promise<CodeBatch | null> {
  return em.findOne(CodeBatch, { id }, { disableIdentityMap: true, lockMode });
}

function refuse(code: BatchRefusal, message: string, field = 'batchId'): never {
  throw new DomainError(code, message, { field: ['input', field] });
}
