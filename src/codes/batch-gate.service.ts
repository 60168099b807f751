import type { MikroORM } from '@mikro-orm/core';
import type { Id } from '../platform/ids.js';
import { isSet } from '../platform/assert.js';
import { tenantEm } from '../platform/database/orm.js';
import { ReadCache } from '../platform/read-cache.js';
import { CodeBatch } from './code-batch.entity.js';

/** What a claim has to know of a batch. */
export interface BatchTerms {
  /** None of its codes can be redeemed. */
  readonly isBlocked: boolean;
  /** Codes that would end before this instant end at it. */
  readonly extendedToMs: number | null;
}

const UNKNOWN: BatchTerms = { isBlocked: true, extendedToMs: null };

/** Tells before a claim which batches are not ready, frozen, void, unsold or extended. The commit decides by the row itself. */
export class BatchGate {
  private readonly cache: ReadCache<BatchTerms>;

  constructor(private readonly orm: MikroORM) {
    this.cache = new ReadCache(async (tenantId, key) => this.read(tenantId, key.split('|')[0] ?? ''));
  }

  /** From a copy of the tenant's present epoch, which every change of a batch and the end of its generation raise; kept for a second. */
  async terms(tenantId: string, batchId: Id, epoch: string): Promise<BatchTerms> {
    return (await this.cache.find(tenantId, `${batchId}|${epoch}`)) ?? UNKNOWN;
  }

  private async read(tenantId: string, id: Id): Promise<BatchTerms | null> {
    const em = tenantEm(this.orm, tenantId);
    const batch = await em.findOne(CodeBatch, { id }, { disableIdentityMap: true });
    if (batch === null) return null;
    return { isBlocked: isBatchBlocked(batch), extendedToMs: batch.extendedTo?.getTime() ?? null };
  }
}

/** What of a batch decides whether its codes can be redeemed. */
export type BatchGateFacts = Pick<CodeBatch, 'status' | 'frozenAt' | 'voidedAt' | 'awaitsActivation'>;

/** Whether none of its codes can be redeemed. */
export function isBatchBlocked({ status, frozenAt, voidedAt, awaitsActivation }: BatchGateFacts): boolean {
  return status !== 'READY' || isSet(frozenAt) || isSet(voidedAt) || awaitsActivation;
}

/** The first instant at which a code is no longer valid: its own, or that to which its batch was extended. */
export function effectiveEnd(
  { expiresAt }: { readonly expiresAt?: Date | null | undefined },
  { extendedTo }: Pick<CodeBatch, 'extendedTo'>,
): Date | null {
  if (!isSet(expiresAt)) return null;
  return isSet(extendedTo) && extendedTo > expiresAt ? extendedTo : expiresAt;
}
