import { finding, type Check, type DatabaseChecks, type Finding } from './drift.js';
import type { Rows } from './rows.js';

const CHECKS = [
  {
    kind: 'ORDER_WITHOUT_REDEMPTION',
    invariant: 'I2',
    holder: 'DATABASE',
    means: 'An order of type REDEMPTION stands although there is no redemption with its number.',
    remedy: 'Both are written by one transaction: find out what removed the redemption.',
  },
] as const satisfies readonly Check[];

/** A FAILED order may outlive the tombstone of its redemption, which is not kept for ever. */
const SELECT_ORPHANS = `
  select cast(o.id as char) as id, o.status from \`order\` o force index (primary)
    left join redemption r on r.tenant_id = o.tenant_id and r.id = o.id
   where o.tenant_id = ? and o.id in (?) and o.type = 'REDEMPTION' and o.status <> 'FAILED' and r.id is null`;

/** Orders of redemptions that are not there. */
export class OrderChecks implements DatabaseChecks {
  readonly name = 'orders';
  readonly checks = CHECKS;

  constructor(private readonly rows: Rows) {}

  pages(tenantId: string): AsyncIterable<readonly string[]> {
    return this.rows.idPages(tenantId, 'order', `t.type = 'REDEMPTION'`);
  }

  async judge(tenantId: string, ids: readonly string[]): Promise<Finding[]> {
    const rows = await this.rows.read<{ id: string; status: string }>(tenantId, SELECT_ORPHANS, [ids]);
    return rows.map(({ id, status }) => finding('ORDER_WITHOUT_REDEMPTION', id, { status }));
  }
}
