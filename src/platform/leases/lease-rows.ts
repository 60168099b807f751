import { randomUUID } from 'node:crypto';
import type { MikroORM, QueryResult } from '@mikro-orm/core';
import { systemEm } from '../database/orm.js';
import { isDuplicateKey, isRetryable } from '../database/sql-errors.js';
import { Fence } from './fence.js';

const NOW = 'utc_timestamp(3)';
const END = `${NOW} + interval ? microsecond`;

/** The row of a lease, as it is now. */
export interface LeaseRow {
  readonly name: string;
  readonly owner: string;
  readonly fence: number;
  readonly isFree: boolean;
}

/** The leases of one owner. Each change is one statement that the row's state decides. */
export class LeaseRows {
  readonly owner = randomUUID();

  /** @param lifeMs how long a lease is held without being renewed */
  constructor(
    private readonly orm: MikroORM,
    private readonly lifeMs: number,
  ) {}

  /** Takes a lease that is free. @returns null where another owner holds it */
  async take(name: string): Promise<Fence | null> {
    try {
      return await this.takeFree(name);
    } catch (error) {
      // A transaction of its holder has the row locked, or another owner was first.
      if (isRetryable(error) || isDuplicateKey(error)) return null;
      throw error;
    }
  }

  /** Also of one that has expired and that nobody has taken. @returns how many are still this owner's */
  async renew(names: readonly string[]): Promise<number> {
    if (names.length === 0) return 0;
    return this.run(`update lease set expires_at = ${END} where name in (?) and owner = ?`, [
      this.lifeMs * 1000,
      names,
      this.owner,
    ]);
  }

  async giveBack(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    await this.run(`update lease set owner = '', expires_at = ${NOW} where name in (?) and owner = ?`, [
      names,
      this.owner,
    ]);
  }

  /** All leases whose names begin so. */
  async beginningWith(prefix: string): Promise<readonly LeaseRow[]> {
    const rows = await systemEm(this.orm).execute<(Omit<LeaseRow, 'isFree'> & { isFree: number })[]>(
      `select name, owner, fence, expires_at <= ${NOW} as isFree from lease where name like ?`,
      [`${prefix}%`],
    );
    return rows.map((row) => ({ ...row, isFree: row.isFree === 1 }));
  }

  /** Rows of leases that nobody takes a second time. */
  async forgetExpired(prefix: string): Promise<void> {
    await this.run(`delete from lease where name like ? and expires_at < ${NOW} - interval 1 hour`, [
      `${prefix}%`,
    ]);
  }

  private async takeFree(name: string): Promise<Fence> {
    const em = systemEm(this.orm);
    const lifeMicros = this.lifeMs * 1000;
    // The insert id of the answer is the new fence.
    const taken = await em.execute<QueryResult>(
      `update lease set owner = ?, fence = last_insert_id(fence + 1), expires_at = ${END}
        where name = ? and expires_at <= ${NOW}`,
      [this.owner, lifeMicros, name],
      'run',
    );
    if (taken.affectedRows === 1) return new Fence(name, this.owner, taken.insertId);
    await em.execute(`insert into lease (name, owner, fence, expires_at) values (?, ?, 1, ${END})`, [
      name,
      this.owner,
      lifeMicros,
    ]);
    return new Fence(name, this.owner, 1);
  }

  private async run(sql: string, params: readonly unknown[]): Promise<number> {
    const { affectedRows } = await systemEm(this.orm).execute<QueryResult>(sql, [...params], 'run');
    return affectedRows;
  }
}
