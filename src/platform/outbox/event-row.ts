import type { Id } from '../ids.js';
import type { PublishedEvent } from './published-event.js';

/** An event as it is read by {@link EVENT_COLUMNS}. */
export interface EventRow {
  readonly id: Id;
  readonly type: string;
  readonly user_id: Id | null;
  readonly payload: string;
  /** UTC, as `2026-01-31 23:59:59.123`. */
  readonly created_at: string;
}

/** As text, because ids do not fit into a number, and MySQL's driver would parse JSON where MariaDB's does not. */
export const EVENT_COLUMNS =
  'cast(id as char) as id, type, cast(user_id as char) as user_id, cast(payload as char) as payload, created_at';

export function toPublished(tenantId: string, row: EventRow, seq: number): PublishedEvent {
  return {
    id: row.id,
    tenantId,
    seq,
    type: row.type,
    userId: row.user_id,
    payload: JSON.parse(row.payload) as Record<string, unknown>,
    createdAt: new Date(`${row.created_at.replace(' ', 'T')}Z`),
  };
}
