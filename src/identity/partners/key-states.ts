import type { MikroORM } from '@mikro-orm/core';
import type { KeyRefusal } from '../../graphql/actor.js';
import { tenantEm } from '../../platform/database/orm.js';
import type { Id } from '../../platform/ids.js';
import type { PartnerStatus } from './partner.entity.js';

/** The mutable state of a key. */
export interface KeyState {
  readonly partnerStatus: PartnerStatus;
  readonly isRevoked: boolean;
  readonly keepsUserTokens: boolean;
  /** Null for a key without an end. */
  readonly expiresMs: number | null;
  /** Of the registered operations; 0 where there are none. */
  readonly operationsVersion: number;
}

interface StateRow {
  readonly id: Id;
  readonly partnerStatus: PartnerStatus;
  readonly isRevoked: number;
  readonly keepsUserTokens: number | boolean;
  readonly expiresMs: string | null;
  readonly operationsVersion: number;
}

const SQL = `select cast(k.id as char) as id, p.status as partnerStatus, k.revoked_at is not null as isRevoked,
    k.keeps_user_tokens as keepsUserTokens, cast(1000 * timestampdiff(second, '1970-01-01', k.expires_at)
      + extract(microsecond from k.expires_at) div 1000 as char) as expiresMs,
    coalesce(o.version, 0) as operationsVersion
  from api_key k join partner p on p.tenant_id = k.tenant_id and p.id = k.partner_id
    left join partner_operations o on o.tenant_id = k.tenant_id and o.partner_id = k.partner_id
  where k.tenant_id = ? and k.id in (?)`;

/** The states of keys, in the order of their ids; null for a key that does not exist. */
export async function readKeyStates(
  orm: MikroORM,
  tenantId: string,
  keyIds: readonly Id[],
): Promise<(KeyState | null)[]> {
  const rows = await tenantEm(orm, tenantId).execute<StateRow[]>(SQL, [tenantId, keyIds]);
  const states = new Map(rows.map((row) => [row.id, stateOf(row)]));
  return keyIds.map((id) => states.get(id) ?? null);
}

function stateOf(row: StateRow): KeyState {
  return {
    partnerStatus: row.partnerStatus,
    isRevoked: Boolean(row.isRevoked),
    keepsUserTokens: Boolean(row.keepsUserTokens),
    expiresMs: row.expiresMs === null ? null : Number(row.expiresMs),
    operationsVersion: row.operationsVersion,
  };
}

/**
 * Why a key is refused: for the partner's server, or for a user whose token it made. A missing key is answered like a
 * revoked one.
 */
export function refusalOfKey(
  state: KeyState | null,
  userId: Id | undefined,
  nowMs: number,
): KeyRefusal | null {
  return userId === undefined ? refusalOfServer(state, nowMs) : refusalOfUserToken(state);
}

function refusalOfServer(state: KeyState | null, nowMs: number): KeyRefusal | null {
  if (state === null || state.isRevoked) return 'API_KEY_REVOKED';
  if (state.expiresMs !== null && state.expiresMs <= nowMs) return 'API_KEY_EXPIRED';
  return state.partnerStatus === 'ACTIVE' ? null : 'PARTNER_DISABLED';
}

/** The end of a key is planned, so its last tokens outlive it. */
function refusalOfUserToken(state: KeyState | null): KeyRefusal | null {
  if (state === null || (state.isRevoked && !state.keepsUserTokens)) return 'API_KEY_REVOKED';
  return state.partnerStatus === 'ACTIVE' ? null : 'PARTNER_DISABLED';
}
