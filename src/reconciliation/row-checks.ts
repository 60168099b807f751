import type { RowCheck } from '../platform/database/row-check.js';
import { finding, type Check, type DatabaseChecks, type Finding } from './drift.js';
import type { Rows } from './rows.js';

type Found = { readonly id: string } & Finding['details'];

/** Runs a check that is one statement. */
export class StatementCheck implements DatabaseChecks {
  readonly name: string;
  readonly checks: readonly Check[];

  constructor(
    private readonly rows: Rows,
    private readonly check: RowCheck,
  ) {
    const { name, kind, invariant, means, remedy } = check;
    this.name = name;
    this.checks = [{ kind, invariant, means, remedy, holder: 'DATABASE' }];
  }

  pages(tenantId: string): AsyncIterable<readonly string[]> {
    const { table, condition } = this.check.rows;
    return this.rows.idPages(tenantId, table, condition);
  }

  async judge(tenantId: string, ids: readonly string[]): Promise<Finding[]> {
    const rows = await this.rows.read<Found>(tenantId, this.check.sql, [ids]);
    return rows.map(({ id, ...details }) => finding(this.check.kind, id, details));
  }
}
