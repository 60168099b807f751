import type { Em } from '../platform/database/orm.js';

/** The number of the tenant's last committed event; 0 before the first. */
export async function lastSeqOf(em: Em, tenantId: string): Promise<number> {
  const [row] = await em.execute<{ lastSeq: number }[]>(
    'select last_seq as lastSeq from outbox_counter where tenant_id = ?',
    [tenantId],
  );
  return row?.lastSeq ?? 0;
}
