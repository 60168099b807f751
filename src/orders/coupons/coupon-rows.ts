import { invariant } from '../../platform/assert.js';
import { queryTogether, writeTogether } from '../../platform/database/execute-together.js';
import { insertRows } from '../../platform/database/insert-rows.js';
import type { Em } from '../../platform/database/orm.js';
import { instantOf, type SqlInstant } from '../../platform/database/sql-values.js';
import { compareIds, sortedIds, type Id, type IdGenerator } from '../../platform/ids.js';
import type { LedgerCause } from '../give-back.js';
import type { NewCoupon, TemplateTerms } from './coupon-issue.js';
import type { CouponKind } from './coupon-template.entity.js';

interface StoredTemplate {
  readonly id: Id;
  readonly kind: CouponKind;
  readonly currency: string;
  readonly amount: string;
  readonly minimum: string;
  readonly rateMille: number;
  readonly issueLimit: number | null;
  readonly issued: number;
  readonly validDays: number | null;
  readonly startsAt: SqlInstant;
  readonly endsAt: SqlInstant;
  readonly enabled: number;
}

const LOCK_TEMPLATES = `
  select cast(id as char) as id, kind, currency, amount, minimum, rate_mille as rateMille, issue_limit as issueLimit,
      issued, valid_days as validDays, starts_at as startsAt, ends_at as endsAt, enabled
    from coupon_template force index (primary)
   where tenant_id = ? and id in (?) order by coupon_template.id for update`;

/** The templates, locked in primary-key order. Raw as all bulk work here, because redemptions wait for it. */
export async function lockTemplates(em: Em, tenantId: string, ids: readonly Id[]): Promise<TemplateTerms[]> {
  if (ids.length === 0) return [];
  const rows = await queryTogether<StoredTemplate>(em, LOCK_TEMPLATES, [tenantId, sortedIds(ids)]);
  return rows.map((row) => ({
    ...row,
    startsAt: instantOf(row.startsAt),
    endsAt: instantOf(row.endsAt),
    enabled: row.enabled === 1,
  }));
}

/** Counts coupons of locked templates, in primary-key order; the condition keeps every limit, whatever was decided. */
export async function countIssued(em: Em, tenantId: string, issued: ReadonlyMap<Id, number>): Promise<void> {
  const counts = [...issued].toSorted(([a], [b]) => compareIds(a, b));
  const written = await Promise.all(
    counts.map(async ([id, count]) =>
      writeTogether(
        em,
        `update coupon_template force index (primary) set issued = issued + ?
          where tenant_id = ? and id = ? and (issue_limit is null or issued + ? <= issue_limit)`,
        [count, tenantId, id, count],
      ),
    ),
  );
  const isCounted = written.every(({ affectedRows }) => affectedRows === 1);
  invariant(isCounted, 'The issue limit of a locked template has changed.');
}

/** New coupons with their first ledger entries. */
export async function insertCoupons(
  em: Em,
  tenantId: string,
  coupons: readonly NewCoupon[],
  cause: LedgerCause,
  ids: IdGenerator,
): Promise<void> {
  const rows = coupons.map((coupon) => couponRow(tenantId, coupon));
  const entries = coupons.map(({ id, template, createdAt }) => ({
    tenant_id: tenantId,
    id: ids.next(),
    coupon_id: id,
    action: 'ISSUE',
    amount: balanceOf(template),
    cause,
    created_at: createdAt,
  }));
  await Promise.all([insertRows(em, 'user_coupon', rows), insertRows(em, 'coupon_ledger', entries)]);
}

function couponRow(tenantId: string, coupon: NewCoupon) {
  const { template } = coupon;
  return {
    tenant_id: tenantId,
    id: coupon.id,
    user_id: coupon.userId,
    template_id: template.id,
    kind: template.kind,
    currency: template.currency,
    amount: template.amount,
    minimum: template.minimum,
    rate_mille: template.rateMille,
    balance: balanceOf(template),
    status: 'AVAILABLE',
    expires_at: coupon.expiresAt,
    redemption_id: coupon.redemptionId,
    reward_no: coupon.rewardNo,
    ordinal: coupon.ordinal,
    idempotency_key: coupon.idempotencyKey,
    arguments_digest: coupon.argumentsDigest,
    created_at: coupon.createdAt,
  };
}

/** Only an AMOUNT has a balance. */
function balanceOf({ kind, amount }: TemplateTerms): string {
  return kind === 'AMOUNT' ? amount : '0';
}
