import { LockMode } from '@mikro-orm/core';
import { LRUCache } from 'lru-cache';
import { atMost } from '../platform/cache-size.js';
import type { Id } from '../platform/ids.js';
import { invariant, isSet, present } from '../platform/assert.js';
import { deleteRows } from '../platform/database/delete-rows.js';
import { tenantEm, type Em } from '../platform/database/orm.js';
import { CommitUnknownError } from '../platform/database/sql-errors.js';
import type { OutboxDraft } from '../platform/outbox/outbox.js';
import type { PlatformServices } from '../platform/platform-services.js';
import { PaceMeter } from './batch-pace.js';
import { CodeBatch, isGivenUp, isUnderWay } from './code-batch.entity.js';
import { untilDistinct, type CodeChunkWriter } from './code-chunk-writer.js';
import { codeKeys, countedAs } from './code-row.js';
import { batchProgressed, codesGenerated } from './code-events.js';
import { moveCodeTotals } from './code-totals.service.js';
import { Code } from './code.entity.js';
import { activePepper } from './pepper-registry.js';
import type { SealedCodes } from './sealed-codes.service.js';

/** Codes of one transaction: what a killed worker loses, and how long a batch's row is locked. */
const CHUNK_CODES = 5000;
/** Between two events of one batch. */
const PROGRESS_EVERY_MS = 500;
/** The order of the ids would lead over the codes of all batches of the tenant. */
const BY_BATCH = 'force index (ix_code__batch)';

export interface BatchKey {
  readonly tenantId: string;
  readonly batchId: Id;
}

export interface BatchRun {
  /** Asked before each chunk. */
  readonly mayGoOn: () => boolean;
  /** After each chunk, with the batch as it is stored now. */
  readonly onChunk?: (batch: CodeBatch) => void;
}

/** FINISHED: nothing is left to do. OVERTAKEN: another process changed the batch. STOPPED: it was not to go on. */
export type RunOutcome = 'FINISHED' | 'OVERTAKEN' | 'STOPPED';

/** Another process has written the chunk, or the batch was given up. */
class OvertakenError extends Error {
  override readonly name = 'OvertakenError';
}

interface Collaborators extends Pick<PlatformServices, 'orm' | 'transactions' | 'clock' | 'outbox'> {
  readonly writer: CodeChunkWriter;
  readonly sealed: SealedCodes;
  /** After the commit that made a batch READY. */
  readonly announce: (batch: CodeBatch) => Promise<void>;
  /** Fewer in tests. */
  readonly chunkCodes?: number;
}

/**
 * Makes the codes of large batches chunk by chunk, and removes those of batches that were given up. A chunk is one
 * transaction, which moves `generated` from the value that was read: so the row always says what is stored, a process
 * that takes over from a killed one resumes there, and of two processes at the same chunk one writes it.
 */
export class BatchGeneration {
  private readonly paces = new LRUCache<Id, { readonly meter: PaceMeter; pushedAtMs: number }>(atMost(1000));

  private readonly chunkCodes: number;

  constructor(private readonly its: Collaborators) {
    this.chunkCodes = its.chunkCodes ?? CHUNK_CODES;
  }

  /** @throws CodesCollidedError, StoreUnavailableError and what the database throws; what is committed stays */
  async run(key: BatchKey, { mayGoOn, onChunk = () => undefined }: BatchRun): Promise<RunOutcome> {
    let looksFirst = false;
    for (;;) {
      const batch = await this.find(key);
      if (batch === null || !hasWork(batch)) return this.end(key, 'FINISHED');
      if (!mayGoOn()) return 'STOPPED';
      const chunk = untilDistinct(async (avoidTaken) => {
        // After one collision more are likely.
        looksFirst ||= avoidTaken;
        return isUnderWay(batch) ? this.writeChunk(batch, looksFirst) : this.removeChunk(batch);
      });
      const after = await this.settled(key, chunk);
      if (after === null) return this.end(key, 'OVERTAKEN');
      onChunk(after);
      if (after.status === 'READY') await this.its.announce(after);
    }
  }

  /** The batch as the chunk left it, also where its COMMIT got no verdict; null where another process changed the batch. */
  private async settled(key: BatchKey, chunk: Promise<CodeBatch>): Promise<CodeBatch | null> {
    try {
      return await chunk;
    } catch (error) {
      if (error instanceof OvertakenError) return null;
      if (error instanceof CommitUnknownError) return this.find(key);
      throw error;
    }
  }

  private async find({ tenantId, batchId }: BatchKey): Promise<CodeBatch | null> {
    const em = tenantEm(this.its.orm, tenantId);
    return em.findOne(CodeBatch, { id: batchId }, { populate: ['recipe'], disableIdentityMap: true });
  }

  private async writeChunk(batch: CodeBatch, avoidTaken: boolean): Promise<CodeBatch> {
    const { tenantId, id: batchId, campaignId, createdAt: issuedAt, generated: firstNo } = batch;
    const recipe = present(batch.recipe, 'The recipe of a batch under way');
    const count = Math.min(this.chunkCodes, batch.requested - firstNo);
    const now = new Date(this.its.clock.nowMs());
    const isLast = firstNo + count === batch.requested;
    const after: CodeBatch = {
      ...batch,
      generated: firstNo + count,
      status: isLast ? 'READY' : 'GENERATING',
      startedAt: batch.startedAt ?? now,
      finishedAt: isLast ? now : null,
    };
    const drafts = this.drafts(after, now.getTime());
    return this.its.transactions.run(tenantId, async (em) => {
      const keyId = await activePepper(em);
      // Before the codes: a second process waits here, and makes none. New rows cross no other transaction's locks.
      await advance(em, batch, after);
      const chunk = { tenantId, campaignId, batchId, recipe, keyId, issuedAt, count, avoidTaken };
      const codes = await this.its.writer.write(em, chunk);
      if (recipe.codeVisibility === 'HASHED')
        await this.its.sealed.keep(em, { tenantId, batchId, firstNo, keyId }, codes);
      this.its.outbox.append(em, tenantId, drafts);
      await moveCodeTotals(em, [{ like: countedAs(chunk), by: count }]);
      return after;
    });
  }

  /** None of them was redeemed: the batch was never READY. */
  private async removeChunk(batch: CodeBatch): Promise<CodeBatch> {
    const { tenantId, id: batchId } = batch;
    return this.its.transactions.run(tenantId, async (em) => {
      const some = {
        orderBy: { id: 'asc' },
        limit: this.chunkCodes,
        indexHint: BY_BATCH,
        disableIdentityMap: true,
      } as const;
      // Codes before their batch, in the order in which all transactions lock them.
      const rows = await em.find(Code, { batchId }, { ...some, lockMode: LockMode.PESSIMISTIC_WRITE });
      await deleteRows(em, codeKeys(tenantId, rows));
      const after = { ...batch, generated: batch.generated - rows.length };
      await advance(em, batch, after);
      // Behind the guard: where another process has just removed the last codes, that is no contradiction.
      invariant(rows.length > 0, `Batch ${batchId} has no code, and its row says ${batch.generated}.`);
      await this.its.sealed.dropFirst(em, { tenantId, batchId });
      const counted = rows.filter(({ deletedAt }) => !isSet(deletedAt));
      await moveCodeTotals(
        em,
        counted.map((like) => ({ like, by: -1 })),
      );
      return after;
    });
  }

  /** An event for some chunks, and always for the last one. */
  private drafts(batch: CodeBatch, nowMs: number): OutboxDraft[] {
    const own = this.paces.get(batch.id) ?? { meter: new PaceMeter(batch.requested), pushedAtMs: -Infinity };
    this.paces.set(batch.id, own);
    const pace = own.meter.note(batch.generated, nowMs);
    if (batch.status === 'READY') return [codesGenerated(batch)];
    if (nowMs - own.pushedAtMs < PROGRESS_EVERY_MS) return [];
    own.pushedAtMs = nowMs;
    return [batchProgressed(batch, pace)];
  }

  private end({ batchId }: BatchKey, outcome: RunOutcome): RunOutcome {
    this.paces.delete(batchId);
    return outcome;
  }
}

/** Whether codes are to be made, or to be removed. A batch without a recipe is filled by others. */
function hasWork(batch: CodeBatch): boolean {
  return (isUnderWay(batch) && isSet(batch.recipe)) || (isGivenUp(batch) && batch.generated > 0);
}

/**
 * Moves a batch on from the state in which it was read. The index is forced because one that holds the changed columns
 * would be locked before the row.
 * @throws OvertakenError where it is in another state by now
 */
async function advance(em: Em, from: CodeBatch, to: CodeBatch): Promise<void> {
  const { affectedRows } = await em.execute<{ affectedRows: number }>(
    `update code_batch force index (primary) set status = ?, \`generated\` = ?, started_at = ?, finished_at = ?
      where tenant_id = ? and id = ? and status = ? and \`generated\` = ?`,
    [
      to.status,
      to.generated,
      to.startedAt ?? null,
      to.finishedAt ?? null,
      from.tenantId,
      from.id,
      from.status,
      from.generated,
    ],
    'run',
  );
  if (affectedRows !== 1) throw new OvertakenError('The batch has moved on.');
}
