import type { MikroORM } from '@mikro-orm/core';
import type { Id } from '../platform/ids.js';
import { systemEm, tenantEm, type Em } from '../platform/database/orm.js';
import type { CodeDigester } from './code-digester.js';
import { seal, unseal } from '../platform/sealed-bytes.js';
import { SealedCodesRow } from './sealed-codes.entity.js';

/** How long codes wait to be handed out, counted from the end of the generation. */
const KEPT_HOURS = 24;
const BATCHES_AT_ONCE = 20;
const ROWS_AT_ONCE = 50;

interface Place {
  readonly tenantId: string;
  readonly batchId: Id;
}

/**
 * The codes of large HASHED batches between their generation and the moment when they are handed out. They are stored
 * encrypted, in the transaction that stores their digests; the key is made of their pepper, the tenant and the batch,
 * and is not in the database. Not in Redis, which generation must not fill.
 */
export class SealedCodes {
  constructor(
    private readonly orm: MikroORM,
    private readonly digester: CodeDigester,
  ) {}

  async keep(
    em: Em,
    place: Place & { readonly firstNo: number; readonly keyId: number },
    codes: readonly string[],
  ): Promise<void> {
    const sealed = seal(codes.join('\n'), this.keyOf(place, place.keyId));
    await em.insert(SealedCodesRow, { ...place, sealed });
  }

  /**
   * Each part once. A part is deleted when the next one is asked for: by then the receiver has stored it. A receiver
   * that dies in between gets it again.
   * @throws Error where a part was sealed with a pepper that this process does not have
   */
  async *handOut(place: Place): AsyncGenerator<readonly string[]> {
    for (;;) {
      const em = tenantEm(this.orm, place.tenantId);
      const { batchId } = place;
      const row = await em.findOne(
        SealedCodesRow,
        { batchId },
        { orderBy: { firstNo: 'asc' }, disableIdentityMap: true },
      );
      if (row === null) return;
      yield this.opened(row);
      await em.nativeDelete(SealedCodesRow, { batchId, firstNo: row.firstNo });
    }
  }

  /** Drops one part of a batch that was given up, where it has any. */
  async dropFirst(em: Em, { tenantId, batchId }: Place): Promise<void> {
    await em.execute(
      'delete from sealed_codes where tenant_id = ? and batch_id = ? order by first_no limit 1',
      [tenantId, batchId],
    );
  }

  /** Deletes what was not fetched in time. @returns how many parts */
  async prune(signal?: AbortSignal): Promise<number> {
    const em = systemEm(this.orm);
    const batches = await em.execute<{ tenantId: string; batchId: Id }[]>(
      `select distinct s.tenant_id as tenantId, cast(s.batch_id as char) as batchId
         from sealed_codes s join code_batch b on b.tenant_id = s.tenant_id and b.id = s.batch_id
        where b.finished_at < utc_timestamp(3) - interval ${KEPT_HOURS} hour limit ${BATCHES_AT_ONCE}`,
    );
    let pruned = 0;
    for (const { tenantId, batchId } of batches) {
      if (signal?.aborted === true) break;
      pruned += await pruneBatch(em, tenantId, batchId);
    }
    return pruned;
  }

  private opened(row: SealedCodesRow): readonly string[] {
    const text = this.digester.keyIds.includes(row.keyId)
      ? unseal(Buffer.from(row.sealed), this.keyOf(row, row.keyId))
      : null;
    if (text !== null) return text.toString().split('\n');
    throw new Error(
      `The codes of batch ${row.batchId} need a pepper that is not configured (key ${row.keyId}).`,
    );
  }

  /** No code has the same digest: a code holds no zero. */
  private keyOf({ tenantId, batchId }: Place, keyId: number): string {
    return this.digester.digest(tenantId, `sealed codes\0${batchId}`, keyId);
  }
}

async function pruneBatch(em: Em, tenantId: string, batchId: Id): Promise<number> {
  for (let pruned = 0; ;) {
    const { affectedRows } = await em.execute<{ affectedRows: number }>(
      `delete from sealed_codes where tenant_id = ? and batch_id = ? order by first_no limit ${ROWS_AT_ONCE}`,
      [tenantId, batchId],
      'run',
    );
    pruned += affectedRows;
    if (affectedRows < ROWS_AT_ONCE) return pruned;
  }
}
