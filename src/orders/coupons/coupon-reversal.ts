import type { Em } from '../../platform/database/orm.js';
import { present } from '../../platform/assert.js';
import { Money } from '../../platform/decimal.js';
import { DomainError } from '../../platform/errors.js';
import type { Id, IdGenerator } from '../../platform/ids.js';
import type { RewardReversal, ReversedReward, SpentRewards } from '../../rewards/reward-handler.js';
import { lockCoupons, takenByOrders } from './coupon-bookings.js';
import { CouponLedger } from './coupon-ledger.entity.js';
import { isExpired } from './coupon-state.js';
import { UserCoupon } from './user-coupon.entity.js';

interface ReversalTerms {
  readonly spent: SpentRewards;
  readonly now: Date;
}

/**
 * Takes the coupons of rewards back. What is left of a balance goes, and the coupon expires: an order that holds it
 * may still use it, but what comes back from an order is not usable any more.
 * @throws DomainError REWARD_SPENT
 */
export async function reverseCoupons(
  em: Em,
  tenantId: string,
  ids: IdGenerator,
  reversals: readonly RewardReversal[],
  { spent, now }: ReversalTerms,
): Promise<ReversedReward[]> {
  const redemptionIds = [...new Set(reversals.map(({ redemptionId }) => redemptionId))];
  const where = { redemptionId: { $in: redemptionIds } };
  const found = await em.find(UserCoupon, where, { fields: ['id'], disableIdentityMap: true });
  const locked = await lockCoupons(
    em,
    found.map(({ id }) => id),
  );
  const reversed: ReversedReward[] = [];
  for (const reversal of reversals) {
    const coupons = [...locked.values()].filter((coupon) => isOf(coupon, reversal));
    const debt = await debtOf(em, coupons);
    if (debt !== null && spent === 'REFUSE') throw refusalOf(reversal, debt);
    for (const coupon of coupons) takeBack(em, tenantId, ids.next(), coupon, now);
    reversed.push({ debt });
  }
  await em.flush();
  return reversed;
}

function isOf(coupon: UserCoupon, { redemptionId, rewardNo }: RewardReversal): boolean {
  return coupon.redemptionId === redemptionId && coupon.rewardNo === rewardNo;
}

function takeBack(em: Em, tenantId: string, entryId: Id, coupon: UserCoupon, now: Date): void {
  const amount = new Money(coupon.balance).negated().toFixed();
  em.create(CouponLedger, {
    tenantId,
    id: entryId,
    couponId: coupon.id,
    orderId: null,
    action: 'REVERSAL',
    amount,
    cause: 'REDEMPTION',
    createdAt: now,
  });
  coupon.balance = '0';
  if (coupon.status === 'AVAILABLE') coupon.status = 'EXPIRED';
  if (!isExpired(coupon, now.getTime())) coupon.expiresAt = now;
  coupon.version += 1;
}

/** What orders have of the coupons of one reward, whose currency is the same. */
async function debtOf(em: Em, coupons: readonly UserCoupon[]): Promise<string | null> {
  let debt = new Money(0);
  for (const coupon of coupons) debt = debt.plus(await spentOf(em, coupon));
  return debt.isZero()
    ? null
    : `${debt.toFixed()} ${present(coupons[0], 'A coupon that was spent').currency}`;
}

async function spentOf(em: Em, coupon: UserCoupon): Promise<string | Money> {
  if (coupon.kind === 'AMOUNT') return new Money(coupon.amount).minus(coupon.balance);
  const orderId = coupon.usedOrderId ?? coupon.reservedOrderId ?? null;
  if (orderId === null) return '0';
  return (await takenByOrders(em, [orderId])).get(orderId)?.get(coupon.id) ?? '0';
}

function refusalOf({ rewardNo }: RewardReversal, debt: string): DomainError {
  return new DomainError(
    'REWARD_SPENT',
    `Reward ${rewardNo} gave coupons of which orders have ${debt}. Reverse it with \`spent: DEBT\` to state that as a debt.`,
    { field: ['input', 'spent'], rewardNo },
  );
}
