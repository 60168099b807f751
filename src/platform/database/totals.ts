import { ExclusiveWork } from '../leases/exclusive-work.js';
import type { PlatformServices } from '../platform-services.js';

/** A table whose `total` is the number of rows of another one that are alike in its key. */
export interface TotalsTable {
  readonly table: string;
  readonly key: string;
  /** Selects the key and, as `n`, the number of rows, of those that a condition names. */
  readonly countOf: (condition: string) => string;
}

/** By how much totals are too small, of the rows that a condition names: of one statement, and so of one instant. */
export const totalGaps = ({ table, key, countOf }: TotalsTable, condition: string): string => `
  select ${key}, sum(n) as total from (${countOf(condition)}
    union all select ${key}, -total from ${table} where ${condition}) both_sides
  group by ${key} having sum(n) <> 0`;

/**
 * Adds what the totals of a tenant lack. Right beside other transactions, because all of them add; two recounts at once
 * would add the same difference twice, so they take turns.
 */
export class Totals {
  constructor(
    private readonly its: Pick<PlatformServices, 'orm' | 'transactions'>,
    private readonly of: TotalsTable,
  ) {}

  async recount(tenantId: string): Promise<void> {
    const { table, key } = this.of;
    const sql = `insert into ${table} (${key}, total) ${totalGaps(this.of, 'tenant_id = ?')}
      on duplicate key update total = ${table}.total + values(total)`;
    await new ExclusiveWork(this.its.orm, `totals/${tenantId}`).during(async (fence) =>
      this.its.transactions.run(tenantId, async (em) => {
        await fence.check(em);
        await em.execute(sql, [tenantId, tenantId]);
      }),
    );
  }
}
