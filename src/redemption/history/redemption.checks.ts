import type { RowCheck } from '../../platform/database/row-check.js';

export const REDEMPTION_CHECKS = [
  {
    kind: 'ORDER_WITHOUT_REDEMPTION',
    invariant: 'I2',
    means: 'An order of type REDEMPTION stands although there is no redemption with its number.',
    remedy: 'Both are written by one transaction: find out what removed the redemption.',
    name: 'orders',
    rows: { table: 'order', condition: `t.type = 'REDEMPTION'` },
    // A FAILED order may outlive the tombstone of its redemption, which is not kept for ever.
    sql: `select cast(o.id as char) as id, o.status from \`order\` o force index (primary)
      left join redemption r on r.tenant_id = o.tenant_id and r.id = o.id
     where o.tenant_id = ? and o.id in (?) and o.type = 'REDEMPTION' and o.status <> 'FAILED' and r.id is null`,
  },
] as const satisfies readonly RowCheck[];
