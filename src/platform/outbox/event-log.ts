import type { MikroORM } from '@mikro-orm/core';
import { StoreUnavailableError } from '../errors.js';
import type { Id } from '../ids.js';
import { gathered } from '../scheduling/gathered.js';
import { systemEm, tenantEm } from '../database/orm.js';
import { isServerAway, isStatementTimeout } from '../database/sql-errors.js';
import { within } from '../scheduling/timeout.js';
import type { PublishedEvent } from './published-event.js';

const TENANTS_AT_ONCE = 256;

interface EventRow {
  readonly seq: number;
  readonly type: string;
  readonly user_id: Id | null;
  readonly payload: string;
  /** UTC, as `2026-01-31 23:59:59.123`. */
  readonly created_at: string;
}

/** As text, because ids do not fit into a number, and MySQL's driver would parse JSON where MariaDB's does not. */
const SELECT_EVENTS = `select seq, type, cast(user_id as char) as user_id, cast(payload as char) as payload, created_at
  from outbox_event where tenant_id = ? and seq > ? and seq <= ?`;

/** Reads the events of tenants: what is committed below the last number is there for good, until it is too old. */
export class EventLog {
  private readonly lastSeqs = gathered(
    async (tenantIds: readonly string[]) => this.loadLastSeqs(tenantIds),
    TENANTS_AT_ONCE,
  );

  constructor(
    private readonly orm: MikroORM,
    private readonly timeoutMs: number,
  ) {}

  /** The number of a tenant's last event, as it is now, or later; 0 before the first. @throws StoreUnavailableError */
  async lastSeq(tenantId: string): Promise<number> {
    return this.lastSeqs.load(tenantId);
  }

  /** All kept events behind `afterSeq` up to `upToSeq`, in order. @throws StoreUnavailableError */
  async read(tenantId: string, afterSeq: number, upToSeq: number): Promise<PublishedEvent[]> {
    const params = [tenantId, afterSeq, upToSeq];
    return this.events(tenantId, `${SELECT_EVENTS} order by seq`, params);
  }

  /** The next `limit` events of some types. @throws StoreUnavailableError */
  async next(
    tenantId: string,
    types: readonly string[],
    afterSeq: number,
    upToSeq: number,
    limit: number,
  ): Promise<PublishedEvent[]> {
    const sql = `${SELECT_EVENTS} and type in (?) order by seq limit ?`;
    return this.events(tenantId, sql, [tenantId, afterSeq, upToSeq, types, limit]);
  }

  private async events(tenantId: string, sql: string, params: readonly unknown[]): Promise<PublishedEvent[]> {
    const reading = tenantEm(this.orm, tenantId).execute<EventRow[]>(sql, [...params]);
    const rows = await this.answered(reading);
    return rows.map((row) => ({
      tenantId,
      seq: row.seq,
      type: row.type,
      userId: row.user_id,
      payload: JSON.parse(row.payload) as Record<string, unknown>,
      createdAt: new Date(`${row.created_at.replace(' ', 'T')}Z`),
    }));
  }

  private async loadLastSeqs(tenantIds: readonly string[]): Promise<number[]> {
    const sql = 'select tenant_id, last_seq from outbox_counter where tenant_id in (?)';
    type Row = { readonly tenant_id: string; readonly last_seq: number };
    const rows = await this.answered(systemEm(this.orm).execute<Row[]>(sql, [tenantIds]));
    const byTenant = new Map(rows.map((row) => [row.tenant_id, row.last_seq]));
    return tenantIds.map((tenantId) => byTenant.get(tenantId) ?? 0);
  }

  private async answered<T>(reading: Promise<T>): Promise<T> {
    try {
      return await within(this.timeoutMs, 'database', reading);
    } catch (error) {
      const isUnanswered = isServerAway(error) || isStatementTimeout(error);
      throw isUnanswered ? new StoreUnavailableError('database', { cause: error }) : error;
    }
  }
}
