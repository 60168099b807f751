import type { RowCheck } from '../platform/database/row-check.js';

export const CODE_CHECKS = [
  {
    kind: 'BATCH_COUNT_DIFFERS',
    invariant: 'I3',
    means: 'A finished batch has more or fewer codes than it says.',
    remedy: 'Codes are never removed, only marked: bring them back from a backup.',
    name: 'batches',
    rows: { table: 'code_batch', condition: `t.status = 'READY'` },
    // Deleted codes included.
    sql: `select cast(b.id as char) as id, b.\`generated\`, (
        select count(*) from code c force index (ix_code__batch)
         where c.batch_id = b.id and c.tenant_id = b.tenant_id) as codes
      from code_batch b force index (primary)
     where b.tenant_id = ? and b.id in (?) and b.status = 'READY'
    having b.\`generated\` <> codes`,
  },
] as const satisfies readonly RowCheck[];
