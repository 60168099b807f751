import { invariant } from '../platform/assert.js';
import type { Id } from '../platform/ids.js';
import { queryTogether } from '../platform/database/execute-together.js';
import type { Em } from '../platform/database/orm.js';
import { insertRows } from '../platform/database/insert-rows.js';
import { writeRows } from '../platform/database/write-rows.js';
import { instantOf, type SqlInstant } from '../platform/database/sql-values.js';
import type { TimeUnit } from '../rewards/time-unit.js';
import { newCredentials, type PlanTerms, type SubscriptionState } from './subscription-grant.js';
import type { SubscriptionStatus } from './subscription.entity.js';

/** A row as the driver gives it: whole numbers that fit are numbers, others strings; instants are UTC texts. */
interface StoredState {
  readonly id: number | string;
  readonly user_id: number | string;
  readonly plan_id: number | string;
  readonly status: SubscriptionStatus;
  readonly expires_at: SqlInstant;
  readonly anchor_day: number | null;
  readonly traffic_bytes: number | string;
  readonly traffic_used_bytes: number | string;
}

/**
 * The subscriptions of these users of these plans. Raw as everything here, because it is on the way of every
 * redemption and entities cost ten times as much; by a forced index, because a scan would lock other users' rows too.
 */
export async function loadStates(
  em: Em,
  tenantId: string,
  userIds: readonly Id[],
  planIds: readonly Id[],
  lock: 'for update' | '',
): Promise<SubscriptionState[]> {
  if (userIds.length === 0 || planIds.length === 0) return [];
  const rows = await queryTogether<StoredState>(
    em,
    `select id, user_id, plan_id, status, expires_at, anchor_day, traffic_bytes, traffic_used_bytes
       from subscription force index (ix_subscription__user_plan)
      where tenant_id = ? and user_id in (?) and plan_id in (?) ${lock}`,
    [tenantId, userIds, planIds],
  );
  return rows.map((row) => ({
    id: String(row.id),
    userId: String(row.user_id),
    planId: String(row.plan_id),
    status: row.status,
    expiresAtMs: instantOf(row.expires_at)?.getTime() ?? null,
    anchorDay: row.anchor_day,
    trafficBytes: Number(row.traffic_bytes),
    trafficUsedBytes: Number(row.traffic_used_bytes),
  }));
}

interface StoredTerms {
  readonly id: number | string;
  readonly unit_time: TimeUnit;
  readonly traffic_bytes: number | string;
  readonly quota_per_user: number;
  readonly inventory: number;
  readonly held_for_ever: number;
  readonly keeps_anchor_day: number;
}

/** The plans, locked in primary-key order. */
export async function lockPlans(
  em: Em,
  tenantId: string,
  planIds: readonly Id[],
  exclusive: boolean,
): Promise<PlanTerms[]> {
  if (planIds.length === 0) return [];
  const rows = await queryTogether<StoredTerms>(
    em,
    `select id, unit_time, traffic_bytes, quota_per_user, inventory, held_for_ever, keeps_anchor_day
       from plan force index (primary)
      where tenant_id = ? and id in (?) order by id ${exclusive ? 'for update' : 'lock in share mode'}`,
    [tenantId, planIds],
  );
  return rows.map((row) => ({
    id: String(row.id),
    unitTime: row.unit_time,
    trafficBytes: Number(row.traffic_bytes),
    quotaPerUser: row.quota_per_user,
    inventory: row.inventory,
    heldForEver: row.held_for_ever === 1,
    keepsAnchorDay: row.keeps_anchor_day === 1,
  }));
}

/** A subscription that is new in this transaction. */
export interface StartedSubscription {
  readonly state: SubscriptionState;
  /** The order that started it. */
  readonly orderId: Id;
  readonly startedAt: Date;
  /** Whether it took one of its plan's inventory; not where the plan is unlimited. */
  readonly holdsInventory: boolean;
}

export async function insertStarted(
  em: Em,
  tenantId: string,
  started: readonly StartedSubscription[],
  updatedAt: Date,
): Promise<void> {
  const rows = started.map(({ state, orderId, startedAt, holdsInventory }) => ({
    tenant_id: tenantId,
    id: state.id,
    user_id: state.userId,
    plan_id: state.planId,
    order_id: orderId,
    status: state.status,
    ...newCredentials(),
    started_at: startedAt,
    expires_at: state.expiresAtMs === null ? null : new Date(state.expiresAtMs),
    anchor_day: state.anchorDay,
    traffic_bytes: state.trafficBytes,
    traffic_used_bytes: state.trafficUsedBytes,
    updated_at: updatedAt,
    holds_inventory: holdsInventory,
  }));
  await insertRows(em, 'subscription', rows);
}

/** Writes the new ends of locked rows. */
export async function writeExtended(
  em: Em,
  tenantId: string,
  states: readonly SubscriptionState[],
  updatedAt: Date,
): Promise<void> {
  const written = await writeRows(em, {
    table: 'subscription',
    prefix: { tenant_id: tenantId },
    column: 'id',
    rows: states.map((state) => [
      state.id,
      {
        expires_at: state.expiresAtMs === null ? null : new Date(state.expiresAtMs),
        anchor_day: state.anchorDay,
        traffic_bytes: state.trafficBytes,
        traffic_used_bytes: state.trafficUsedBytes,
      },
    ]),
    common: ["status = 'ACTIVE', updated_at = ?", updatedAt],
  });
  invariant(written === states.length, 'A locked subscription was not there to be extended.');
}
