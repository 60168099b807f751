import { FlushMode, type EntityMetadata } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/mariadb';
import { isDeepStrictEqual } from 'node:util';
import { TENANT_FILTER } from '../database/tenant-filter.js';

export type RowValues = Readonly<Record<string, unknown>>;

/** A row as it was and as it is now. Of a changed row only the columns that differ. */
export interface RowChange {
  readonly table: string;
  /** The primary key, its parts joined by `/`; without the tenant, unless that is all of it. */
  readonly id: string;
  /** Null where the row is new. */
  readonly before: RowValues | null;
  /** Null where the row was deleted. */
  readonly after: RowValues | null;
}

/** What an operation is about, where its service names it. */
export interface Target {
  readonly type: string;
  readonly id: string;
}

/** What a transaction has changed in all. */
export interface RecordedChanges {
  readonly target: Target | null;
  readonly rows: readonly RowChange[];
  /** How many rows were written, by table. */
  readonly counts: Readonly<Record<string, number>>;
}

interface Touched {
  readonly meta: EntityMetadata;
  readonly key: RowValues;
  readonly before: RowValues | null;
}

/** Stands for a part of a key that is made of a secret. */
const NOT_NAMED = '-';
/** Rows with their values; of more, only their number is kept. */
export const ROWS_MAX = 20;
/** Reads rows as they stand, beside the unit of work and without flushing it. */
export const AS_STORED = { disableIdentityMap: true, flushMode: FlushMode.COMMIT } as const;

/**
 * Collects what one transaction changes: rows as they were before its first change, and the number of rows that raw
 * statements wrote. What the rows have become is read at the end.
 */
export class ChangeRecord {
  private readonly touched = new Map<string, Touched>();
  private readonly counts = new Map<string, number>();
  private target: Target | null = null;
  /** What is written from then on belongs to the record itself, and to the events. */
  isClosed = false;

  get isEmpty(): boolean {
    return this.counts.size === 0 && this.target === null;
  }

  /** Names what the operation is about. It is recorded then even where no row changes. */
  about(target: Target): void {
    this.target ??= target;
  }

  count(table: string, rows: number): void {
    if (rows > 0) this.counts.set(table, (this.counts.get(table) ?? 0) + rows);
  }

  /** @param before the row before its first change; null where it is inserted */
  touch(meta: EntityMetadata, key: RowValues, before: RowValues | null): void {
    const name = `${meta.tableName} ${JSON.stringify(key)}`;
    if (!this.touched.has(name) && this.touched.size < ROWS_MAX)
      this.touched.set(name, { meta, key, before: before === null ? null : imageOf(meta, before) });
  }

  /** Takes over what a nested part has changed. */
  take(part: ChangeRecord): void {
    for (const [name, touched] of part.touched)
      if (!this.touched.has(name) && this.touched.size < ROWS_MAX) this.touched.set(name, touched);
    for (const [table, rows] of part.counts) this.count(table, rows);
    if (part.target !== null) this.about(part.target);
  }

  /** Reads the rows as they are now. Before the COMMIT, by the entity manager of the transaction. */
  async settled(em: SqlEntityManager): Promise<RecordedChanges> {
    const rows: RowChange[] = [];
    for (const { meta, key, before } of this.touched.values()) {
      const found = (await em.findOne(meta.class, key, {
        ...AS_STORED,
        filters: { [TENANT_FILTER]: false },
      })) as RowValues | null;
      const change = changeOf(before, found === null ? null : imageOf(meta, found));
      if (change !== null) rows.push({ table: meta.tableName, id: idOf(key), ...change });
    }
    return { target: this.target, rows, counts: Object.fromEntries(this.counts) };
  }
}

/** The columns of a row that were read, without its key. */
function imageOf(meta: EntityMetadata, row: RowValues): RowValues {
  const columns = meta.props.filter(({ persist, primary }) => persist !== false && primary !== true);
  return Object.fromEntries(
    columns.filter(({ name }) => row[name] !== undefined).map(({ name }) => [name, row[name]]),
  );
}

function idOf(key: RowValues): string {
  const { tenantId, ...own } = key;
  const parts = Object.entries(own).map(([name, value]) => (name === 'digest' ? NOT_NAMED : String(value)));
  return parts.length === 0 ? String(tenantId) : parts.join('/');
}

function changeOf(
  before: RowValues | null,
  after: RowValues | null,
): Pick<RowChange, 'before' | 'after'> | null {
  if (before === null || after === null) return before === after ? null : { before, after };
  const changed = Object.keys(after).filter((name) => !isDeepStrictEqual(before[name], after[name]));
  const only = (row: RowValues) => Object.fromEntries(changed.map((name) => [name, row[name] ?? null]));
  return changed.length === 0 ? null : { before: only(before), after: only(after) };
}
