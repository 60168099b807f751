import { finding, type Check, type DatabaseChecks, type Finding } from './drift.js';
import type { Rows } from './rows.js';

const QUOTA = {
  kind: 'TENANT_QUOTA_DIFFERS',
  invariant: 'I1',
  holder: 'DATABASE',
  means:
    "The tenant's counter of issued codes is not the number of its codes; its quota is judged by the counter.",
  remedy: 'While no codes are made or deleted, set tenant.codes_issued to the number of codes.',
} as const satisfies Check;
/** Deleted codes have given their quota back, and so have all codes of a voided batch. */
const SELECT_ISSUED = `
  select t.codes_issued as issued, (
      select count(*) from code c
        left join code_batch b on b.tenant_id = c.tenant_id and b.id = c.batch_id
       where c.tenant_id = t.id and c.deleted_at is null and b.voided_at is null) as codes
    from tenant t where t.id = ?`;

/** The quota of a tenant. */
export class QuotaChecks implements DatabaseChecks {
  readonly name = 'tenants';
  readonly checks = [QUOTA];

  constructor(private readonly rows: Rows) {}

  async *pages(tenantId: string): AsyncGenerator<readonly string[]> {
    yield [tenantId];
  }

  async judge(tenantId: string): Promise<Finding[]> {
    const rows = await this.rows.read<{ issued: number; codes: number }>(tenantId, SELECT_ISSUED, []);
    return rows
      .filter(({ issued, codes }) => issued !== codes)
      .map(({ issued, codes }) => finding(QUOTA.kind, tenantId, { issued, codes }));
  }
}
