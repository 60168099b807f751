import { randomUUID } from 'node:crypto';
import type { MikroORM, QueryResult } from '@mikro-orm/core';
import { systemEm } from '../database/orm.js';
import { isDuplicateKey, isRetryable } from '../database/sql-errors.js';
import { outsideOperation } from '../recording/current-operation.js';
import { Fence } from './fence.js';

const NOW = 'utc_timestamp(3)';
const END = `${NOW} + interval ? microsecond`;

/** The row of a lease. */
export interface LeaseRow {
  readonly name: string;
  readonly owner: string;
  readonly fence: number;
  readonly isFree: boolean;
}

/**
 * The leases of one owner. Each change is decided by the row's state, under its lock, and none is of the operation that
 * asked for the work.
 */
export class LeaseRows {
  readonly owner = randomUUID();

  /** @param lifeMs how long a lease is held without being renewed */
  constructor(
    private readonly orm: MikroORM,
    private readonly lifeMs: number,
  ) {}

  /** Takes a lease that is free. @returns null where another owner holds it; never waits for a transaction of its holder */
  async take(name: string): Promise<Fence | null> {
    const [row] = await systemEm(this.orm).execute<{ isFree: number }[]>(
      `select expires_at <= ${NOW} as isFree from lease where name = ?`,
      [name],
    );
    if (row?.isFree === 0) return null;
    try {
      return await outsideOperation(async () =>
        row === undefined ? this.insert(name) : this.takeFree(name),
      );
    } catch (error) {
      // Another owner was first.
      if (isRetryable(error) || isDuplicateKey(error)) return null;
      throw error;
    }
  }

  /** Also of one that has expired and is not taken. @returns how many are still this owner's */
  async renew(names: readonly string[]): Promise<number> {
    if (names.length === 0) return 0;
    return this.run(`update lease set expires_at = ${END} where name in (?) and owner = ?`, [
      this.lifeMicros,
      names,
      this.owner,
    ]);
  }

  /**
   * The same, but passes over each lease that a transaction under its fence has locked: no other owner takes that one meanwhile,
   * and waiting for it would let the others expire.
   * @returns what it passed over, and what is another's by now
   */
  async renewUnlocked(names: readonly string[]): Promise<string[]> {
    if (names.length === 0) return [];
    const renewed = await systemEm(this.orm).transactional(async (em) => {
      const rows = await em.execute<{ name: string }[]>(
        'select name from lease force index (primary) where name in (?) and owner = ? for update skip locked',
        [names, this.owner],
      );
      const unlocked = rows.map(({ name }) => name);
      if (unlocked.length > 0)
        await em.execute(`update lease force index (primary) set expires_at = ${END} where name in (?)`, [
          this.lifeMicros,
          unlocked,
        ]);
      return new Set(unlocked);
    });
    return names.filter((name) => !renewed.has(name));
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

  /** Rows of leases that are not taken a second time. */
  async forgetExpired(prefix: string): Promise<void> {
    await this.run(`delete from lease where name like ? and expires_at < ${NOW} - interval 1 hour`, [
      `${prefix}%`,
    ]);
  }

  private async takeFree(name: string): Promise<Fence | null> {
    return systemEm(this.orm).transactional(async (em) => {
      const [row] = await em.execute<{ fence: number }[]>(
        `select fence from lease where name = ? and expires_at <= ${NOW} for update skip locked`,
        [name],
      );
      if (row === undefined) return null;
      const no = row.fence + 1;
      await em.execute(`update lease set owner = ?, fence = ?, expires_at = ${END} where name = ?`, [
        this.owner,
        no,
        this.lifeMicros,
        name,
      ]);
      return new Fence(name, this.owner, no);
    });
  }

  private async insert(name: string): Promise<Fence> {
    const first = 1;
    await this.run(`insert into lease (name, owner, fence, expires_at) values (?, ?, ?, ${END})`, [
      name,
      this.owner,
      first,
      this.lifeMicros,
    ]);
    return new Fence(name, this.owner, first);
  }

  private get lifeMicros(): number {
    return this.lifeMs * 1000;
  }

  private async run(sql: string, params: readonly unknown[]): Promise<number> {
    const { affectedRows } = await outsideOperation(async () =>
      systemEm(this.orm).execute<QueryResult>(sql, [...params], 'run'),
    );
    return affectedRows;
  }
}
