import { moveCodeTotals, type CodeMove } from '../../codes/code-totals.service.js';
import type { OrderService, RedemptionOrder } from '../../orders/orders/order.service.js';
import { invariant } from '../../platform/assert.js';
import { compareIds, sortedIds, type Id } from '../../platform/ids.js';
import { writeTogether } from '../../platform/database/execute-together.js';
import { addUp, insertRows, type Counted, type RowValues } from '../../platform/database/insert-rows.js';
import type { Em } from '../../platform/database/orm.js';
import { dayOf, UTC } from '../../platform/zoned-time.js';
import type { Outbox, OutboxDraft } from '../../platform/outbox/outbox.js';
import { REDEMPTION_SETTLED } from '../../rewards/rewards-given.js';
import type { Claim } from '../claim/claim.js';
import type { Accepted, Tombstone } from './commit-decider.js';
import {
  NOT_REVERSED,
  orderNoOf,
  rewardBits,
  type GrantRow,
  type RedemptionRow,
} from '../history/redemption-record.js';
import { isRedeemRefusal } from '../redemption.errors.js';

/** A claim that failed after it was answered PROCESSING. */
export interface FailedClaim extends Tombstone {
  /** The redemption of the same code that has its idempotency key. */
  readonly winnerId: Id | null;
}

/** What a batch came to. */
export interface DecidedBatch {
  readonly accepted: readonly Accepted[];
  readonly tombstones: readonly Tombstone[];
  /** Claims whose order fails, with an event for the user. */
  readonly failed: readonly FailedClaim[];
  /** Users who have paid before. */
  readonly buyers: ReadonlySet<Id>;
  readonly settledAt: Date;
}

/** Writes what was decided for a batch, in bulk: a handful of statements, whatever its size. */
export class CommitWrites {
  constructor(
    private readonly orders: OrderService,
    private readonly outbox: Outbox,
  ) {}

  /** Which users have paid before; asked for together with the locks. */
  async buyersAmong(em: Em, tenantId: string, claims: readonly Claim[]): Promise<ReadonlySet<Id>> {
    return this.orders.usersWithPaidOrder(em, tenantId, sortedIds(claims.map((claim) => claim.userId)));
  }

  /** All statements are asked for at once, and so are sent together. */
  async write(em: Em, tenantId: string, batch: DecidedBatch): Promise<void> {
    const { accepted, tombstones, failed, settledAt } = batch;
    const rows = [
      ...accepted.map(({ record }) => record),
      ...tombstones.map((tombstone) => tombstoneRow(tombstone, settledAt)),
    ].toSorted((a, b) => compareIds(a.id, b.id));
    this.outbox.append(em, tenantId, [...accepted.map(eventOf), ...failed.map(failedEventOf)]);
    await Promise.all([
      this.spendUses(em, tenantId, accepted),
      insertRows(em, 'redemption', rows.map(redemptionValues)),
      this.orders.insertRedemptionOrders(em, tenantId, ordersOf(batch)),
      this.orders.insertFailedOrders(em, tenantId, failedOrdersOf(batch)),
      insertRows(em, 'reward_grant', accepted.flatMap(({ given }) => given).map(grantValues)),
      addUp(em, 'redemption_total', accepted.map(totalOf)),
      moveCodeTotals(em, accepted.flatMap(usesUp)),
      this.outbox.flush(em),
    ]);
  }

  /**
   * Spends the uses. The rows are locked and were judged, so the guard in the statement can only fail on a
   * defect; it stands there because the database decides, not this process.
   */
  private async spendUses(em: Em, tenantId: string, accepted: readonly Accepted[]): Promise<void> {
    const uses = new Map<Id, number>();
    for (const { claim } of accepted) uses.set(claim.codeId, (uses.get(claim.codeId) ?? 0) + 1);
    const byCount = Map.groupBy(uses.keys(), (codeId) => uses.get(codeId) ?? 0);
    const spent = await Promise.all(
      [...byCount]
        .toSorted(([a], [b]) => a - b)
        .map(async ([count, codeIds]) => {
          const params = [count, count, tenantId, sortedIds(codeIds), count];
          const { affectedRows } = await writeTogether(em, SPEND_USES, params);
          return affectedRows === codeIds.length;
        }),
    );
    invariant(!spent.includes(false), 'The database refused uses that were left under its lock.');
    for (const code of new Set(accepted.map((each) => each.code))) code.version += 1;
  }
}

function totalOf({ record }: Accepted): Counted {
  return {
    tenant_id: record.tenantId,
    campaign_id: record.campaignId,
    batch_id: record.batchId,
    day: dayOf(record.claimedAt.getTime(), UTC),
    rewards: rewardBits(record.rewards),
    status: record.status,
    total: 1,
  };
}

/** The last redemption of a code in its batch tells whether a use is left. */
function usesUp({ code, record }: Accepted): CodeMove[] {
  const isUsedUp = code.useLimit > 0 && code.used >= code.useLimit;
  if (!isUsedUp || record.useNo !== code.lastUseNo) return [];
  const { tenantId, campaignId, batchId } = record;
  const after = { ...code, tenantId, campaignId, batchId };
  return [
    { like: { ...after, used: code.used - 1 }, by: -1 },
    { like: after, by: 1 },
  ];
}

const SPEND_USES = `update code force index (primary)
    set used = used + ?, last_use_no = last_use_no + ?, version = version + 1
  where tenant_id = ? and id in (?) and (use_limit = 0 or used + ? <= use_limit)`;

function ordersOf({ accepted, buyers, settledAt }: DecidedBatch): RedemptionOrder[] {
  return accepted.map(({ claim, given }) => ({
    id: orderNoOf(claim.redemptionId),
    userId: claim.userId,
    isNew: !buyers.has(claim.userId),
    subscriptionId: given.find((grant) => grant.type === 'SUBSCRIPTION')?.targetId ?? null,
    createdAt: new Date(claim.claimedAtMs),
    finishedAt: settledAt,
  }));
}

function failedOrdersOf({ failed, buyers, settledAt }: DecidedBatch): RedemptionOrder[] {
  return failed.map(({ claim }) => ({
    id: orderNoOf(claim.redemptionId),
    userId: claim.userId,
    isNew: !buyers.has(claim.userId),
    subscriptionId: null,
    createdAt: new Date(claim.claimedAtMs),
    finishedAt: settledAt,
  }));
}

function redemptionValues(row: RedemptionRow): RowValues {
  return {
    tenant_id: row.tenantId,
    id: row.id,
    status: row.status,
    code_id: row.codeId,
    campaign_id: row.campaignId,
    batch_id: row.batchId,
    user_id: row.userId,
    use_no: row.useNo ?? null,
    user_use_no: row.userUseNo ?? null,
    idempotency_key: row.idempotencyKey ?? null,
    product_code: row.productCode,
    device_id: row.deviceId ?? null,
    claimed_at: row.claimedAt,
    settled_at: row.settledAt,
    abort_reason: row.abortReason ?? null,
  };
}

function grantValues(grant: GrantRow): RowValues {
  return {
    tenant_id: grant.tenantId,
    redemption_id: grant.redemptionId,
    reward_no: grant.rewardNo,
    type: grant.type,
    status: grant.status,
    source_id: grant.sourceId,
    target_id: grant.targetId,
    value: grant.value,
    granted_at: grant.grantedAt,
    period_from: grant.periodFrom ?? null,
    period_until: grant.periodUntil ?? null,
  };
}

function tombstoneRow({ claim, reason }: Tombstone, settledAt: Date): RedemptionRow {
  return {
    tenantId: claim.tenantId,
    id: claim.redemptionId,
    status: 'ABORTED',
    codeId: claim.codeId,
    campaignId: claim.campaignId,
    batchId: claim.batchId,
    userId: claim.userId,
    useNo: null,
    userUseNo: null,
    idempotencyKey: null,
    productCode: claim.productCode,
    // Of no use in a tombstone, which may come after the erasure of its user.
    deviceId: null,
    claimedAt: new Date(claim.claimedAtMs),
    settledAt,
    abortReason: reason,
    ...NOT_REVERSED,
  };
}

/** One event for the redemption and all of its rewards. */
function eventOf({ claim, record, given }: Accepted): OutboxDraft {
  const payload = {
    redemptionId: record.id,
    status: 'COMMITTED',
    orderNo: orderNoOf(record.id),
    codeId: record.codeId,
    digest: claim.digest,
    campaignId: record.campaignId,
    useNo: record.useNo,
    refusal: null,
    winnerId: null,
    rewards: given.map(({ rewardNo, type, sourceId, targetId }) => ({ rewardNo, type, sourceId, targetId })),
  };
  return { type: REDEMPTION_SETTLED, userId: record.userId, subjectId: record.id, payload };
}

function failedEventOf({ claim, reason, winnerId }: FailedClaim): OutboxDraft {
  const payload = {
    redemptionId: claim.redemptionId,
    status: 'REFUSED',
    orderNo: orderNoOf(claim.redemptionId),
    codeId: claim.codeId,
    digest: claim.digest,
    campaignId: claim.campaignId,
    useNo: null,
    refusal: isRedeemRefusal(reason) ? reason : null,
    winnerId,
  };
  return { type: REDEMPTION_SETTLED, userId: claim.userId, subjectId: claim.redemptionId, payload };
}
