import type { MikroORM } from '@mikro-orm/core';
import type { Id } from '../platform/ids.js';
import { tenantEm } from '../platform/database/orm.js';
import type { BatchKey } from './batch-generation.service.js';
import type { SealedCodes } from './sealed-codes.service.js';

const PAGE_CODES = 5000;

/** The codes of a batch, of any size, as their holders read them. */
export class BatchCodes {
  constructor(
    private readonly orm: MikroORM,
    private readonly sealed: SealedCodes,
  ) {}

  /**
   * In parts, in the order of their ids, deleted ones included. Codes of a HASHED campaign come once: a part is gone when
   * the next one is asked for. What is not kept, or is gone, is left out.
   */
  async *parts(key: BatchKey): AsyncGenerator<readonly string[]> {
    yield* this.sealed.handOut(key);
    yield* this.stored(key);
  }

  private async *stored({ tenantId, batchId }: BatchKey): AsyncGenerator<readonly string[]> {
    const em = tenantEm(this.orm, tenantId);
    for (let after: Id = '0'; ;) {
      const rows = await em.execute<{ id: Id; text: string | null }[]>(
        `select cast(id as char) as id, code_text as text from code force index (ix_code__batch)
          where tenant_id = ? and batch_id = ? and id > ? order by code.id limit ${PAGE_CODES}`,
        [tenantId, batchId, after],
      );
      const texts = rows.flatMap(({ text }) => text ?? []);
      if (texts.length > 0) yield texts;
      const last = rows.at(-1);
      // One row tells of all: a campaign keeps the texts of a batch, or none.
      if (last === undefined || texts.length === 0) return;
      after = last.id;
    }
  }
}
