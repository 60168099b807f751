import type { MikroORM } from '@mikro-orm/core';
import type { Id } from '../platform/ids.js';
import { tenantEm } from '../platform/database/orm.js';
import { ReadCache } from '../platform/read-cache.js';
import { CodeBatch } from './code-batch.entity.js';
import { isSet } from '../platform/assert.js';

/** Tells before a claim which batches are frozen or void. The commit decides by the row itself. */
export class BatchGate {
  private readonly cache: ReadCache<{ readonly isBlocked: boolean }>;

  constructor(private readonly orm: MikroORM) {
    this.cache = new ReadCache(async (tenantId, key) => this.read(tenantId, key.split('|')[0] ?? ''));
  }

  /** From a copy of the tenant's present epoch, which every freeze, unfreeze and void raises; kept for a second. */
  async isBlocked(tenantId: string, batchId: Id, epoch: string): Promise<boolean> {
    const state = await this.cache.find(tenantId, `${batchId}|${epoch}`);
    return state === null || state.isBlocked;
  }

  private async read(tenantId: string, id: Id): Promise<{ isBlocked: boolean } | null> {
    const em = tenantEm(this.orm, tenantId);
    const batch = await em.findOne(CodeBatch, { id }, { disableIdentityMap: true });
    return batch === null ? null : { isBlocked: isSet(batch.frozenAt) || isSet(batch.voidedAt) };
  }
}
