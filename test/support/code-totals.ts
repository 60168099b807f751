import { CODE_TOTALS } from '../../src/codes/code-totals.service.js';
import type { Em } from '../../src/platform/database/orm.js';
import { totalGaps } from '../../src/platform/database/totals.js';

/** Totals of a tenant that count other codes than there are; there are none. */
export async function wrongTotals(em: Em, tenantId: string): Promise<unknown[]> {
  return em.execute(totalGaps(CODE_TOTALS, 'tenant_id = ?'), [tenantId, tenantId]);
}
