import { queryTogether, writeTogether } from '../../platform/database/execute-together.js';
import { insertRows } from '../../platform/database/insert-rows.js';
import type { Em } from '../../platform/database/orm.js';
import { compareIds, sortedIds, type Id, type IdGenerator } from '../../platform/ids.js';
import type { LedgerCause } from '../give-back.js';

/** Points as they are granted, before their row is written. */
export interface NewLot {
  readonly id: Id;
  readonly userId: Id;
  readonly points: number;
  readonly expiresAt: Date | null;
  readonly redemptionId: Id | null;
  readonly rewardNo: number | null;
  readonly idempotencyKey: string | null;
  readonly argumentsDigest: string | null;
  readonly createdAt: Date;
}

/**
 * Locks the accounts that there are, in primary-key order. One that is made by {@link grantLots} meanwhile is added to
 * all the same; the locks only keep the order of all transactions. Raw, because redemptions wait for it.
 */
export async function lockPointsAccounts(em: Em, tenantId: string, userIds: readonly Id[]): Promise<void> {
  if (userIds.length === 0) return;
  await queryTogether(
    em,
    `select user_id from points_account force index (primary)
      where tenant_id = ? and user_id in (?) order by points_account.user_id for update`,
    [tenantId, sortedIds(userIds)],
  );
}

/** New lots with their ledger entries; accounts are made on first use. */
export async function grantLots(
  em: Em,
  tenantId: string,
  lots: readonly NewLot[],
  cause: LedgerCause,
  ids: IdGenerator,
): Promise<void> {
  if (lots.length === 0) return;
  const entries = lots.map(({ id, userId, points, createdAt }) => ({
    tenant_id: tenantId,
    id: ids.next(),
    user_id: userId,
    action: 'GRANT',
    points,
    lot_id: id,
    cause,
    created_at: createdAt,
  }));
  await Promise.all([
    addToAccounts(em, tenantId, lots),
    insertRows(
      em,
      'points_lot',
      lots.map((lot) => lotRow(tenantId, lot)),
    ),
    insertRows(em, 'points_ledger', entries),
  ]);
}

async function addToAccounts(em: Em, tenantId: string, lots: readonly NewLot[]): Promise<void> {
  const byUser = [...Map.groupBy(lots, ({ userId }) => userId)].toSorted(([a], [b]) => compareIds(a, b));
  const rows = byUser.map(([userId, granted]) => [
    tenantId,
    userId,
    granted.reduce((sum, { points }) => sum + points, 0),
    new Date(Math.max(...granted.map(({ createdAt }) => createdAt.getTime()))),
  ]);
  await writeTogether(
    em,
    `insert into points_account (tenant_id, user_id, balance, updated_at)
      values ${rows.map(() => '(?)').join(', ')}
      on duplicate key update balance = balance + values(balance), updated_at = values(updated_at)`,
    rows,
  );
}

function lotRow(tenantId: string, lot: NewLot) {
  return {
    tenant_id: tenantId,
    id: lot.id,
    user_id: lot.userId,
    granted: lot.points,
    remaining: lot.points,
    spent: 0,
    expires_at: lot.expiresAt,
    redemption_id: lot.redemptionId,
    reward_no: lot.rewardNo,
    idempotency_key: lot.idempotencyKey,
    arguments_digest: lot.argumentsDigest,
    created_at: lot.createdAt,
  };
}
