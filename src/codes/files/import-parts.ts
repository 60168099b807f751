import type { QueryResult } from '@mikro-orm/core';
import type { Em } from '../../platform/database/orm.js';
import type { Id } from '../../platform/ids.js';

/** 13 MB of a file; what one statement deletes. */
const PARTS_AT_ONCE = 50;

/** One sending of the file of an import. */
export interface Upload {
  readonly tenantId: string;
  readonly importId: Id;
  readonly uploadId: Id;
}

/** Deletes the parts of an upload. @returns how many */
export async function dropParts(em: Em, { tenantId, importId, uploadId }: Upload): Promise<number> {
  for (let dropped = 0; ;) {
    const { affectedRows } = await em.execute<QueryResult>(
      `delete from code_import_part where tenant_id = ? and import_id = ? and upload_id = ?
        order by part_no limit ${PARTS_AT_ONCE}`,
      [tenantId, importId, uploadId],
      'run',
    );
    dropped += affectedRows;
    if (affectedRows < PARTS_AT_ONCE) return dropped;
  }
}
