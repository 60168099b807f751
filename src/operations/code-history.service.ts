import type { CodeCopyService, ShownCopy } from '../codes/code-copy.service.js';
import type { CodeReader } from '../codes/code-reader.service.js';
import type { Code } from '../codes/code.entity.js';
import type { CodeBatch } from '../codes/code-batch.entity.js';
import { isSet } from '../platform/assert.js';
import { isStoreAway } from '../platform/failures.js';
import type { Id } from '../platform/ids.js';
import { byAllocation, byAudit, byCode, byBatch, byRedemption, byRefusal } from './code-history-entries.js';
import type { HistoryEntry, HistorySources, ShownClaim } from './code-history-entries.js';

/** Entries of each kind that are read; the lists show all of them. */
const OF_A_KIND_MAX = 100;
const RANGE = { offset: 0, size: OF_A_KIND_MAX, isCounted: false } as const;

export interface CodeHistory {
  readonly codeId: Id;
  /** The newest first. */
  readonly entries: readonly HistoryEntry[];
  /** Whether there are more of one kind than are shown. */
  readonly isCut: boolean;
  /** Null while Redis does not answer. */
  readonly openClaims: readonly ShownClaim[] | null;
  /** Null where there is none, or Redis does not answer. */
  readonly copy: ShownCopy | null;
}

export interface CodeHistoryParts extends HistorySources {
  readonly codeReader: Pick<CodeReader, 'row' | 'batch' | 'allocation'>;
  readonly copies: Pick<CodeCopyService, 'find'>;
  readonly openClaims: { ofCode(tenantId: string, digest: string): Promise<ShownClaim[]> };
}

/** All that is known of one code, from its row, its redemptions, refused attempts, and the audit log. */
export class CodeHistoryService {
  constructor(private readonly its: CodeHistoryParts) {}

  /** Null where the tenant has no such code; a deleted one has its history still. */
  async of(tenantId: string, codeId: Id): Promise<CodeHistory | null> {
    const { codeReader } = this.its;
    const code = await codeReader.row(tenantId, codeId);
    const batch = code === null ? null : await codeReader.batch(tenantId, code.batchId);
    if (code === null || batch === null) return null;
    const [read, inRedis] = [await this.read(tenantId, code, batch), await this.inRedis(tenantId, code)];
    return { codeId, ...read, ...inRedis };
  }

  /** One read after the other, so that a history takes one connection. */
  private async read(tenantId: string, code: Code, batch: CodeBatch) {
    const { redemptionReader, refusedAttempts, auditLog, codeReader } = this.its;
    const redemptions = await redemptionReader.page(tenantId, { codeId: code.id }, RANGE);
    const attempts = await refusedAttempts.ofCode(tenantId, [code.codeDigest], OF_A_KIND_MAX);
    const ofCode = { targetType: 'code', targetId: code.id };
    const changes = await auditLog.page(tenantId, ofCode, RANGE);
    const ofBatch = { targetType: 'code_batch', targetId: batch.id };
    const batchChanges = await auditLog.page(tenantId, ofBatch, RANGE);
    const allocation = await codeReader.allocation(tenantId, code.id);
    const audited = [...changes.items, ...batchChanges.items];
    const entries = [
      ...byCode(code, audited),
      ...byBatch(batch, audited),
      ...(allocation === null ? [] : [byAllocation(allocation)]),
      ...audited.map(byAudit),
      ...redemptions.items.flatMap(byRedemption),
      ...attempts.items.map(byRefusal),
    ];
    return {
      entries: entries.toSorted((a, b) => b.at.getTime() - a.at.getTime()),
      isCut: [redemptions, attempts, changes, batchChanges].some(({ next }) => isSet(next)),
    };
  }

  private async inRedis(
    tenantId: string,
    { codeDigest }: Code,
  ): Promise<Pick<CodeHistory, 'openClaims' | 'copy'>> {
    try {
      const openClaims = await this.its.openClaims.ofCode(tenantId, codeDigest);
      return { openClaims, copy: await this.its.copies.find(tenantId, codeDigest) };
    } catch (error) {
      if (!isStoreAway(error)) throw error;
      return { openClaims: null, copy: null };
    }
  }
}
