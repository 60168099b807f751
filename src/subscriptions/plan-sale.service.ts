import { DomainError } from '../platform/errors.js';
import { compareIds, isId, type Id } from '../platform/ids.js';
import type { Em } from '../platform/database/orm.js';
import type { PlatformServices } from '../platform/platform-services.js';
import { isQuantity } from '../rewards/calendar.js';
import type { GrantedPeriod, RewardApplication, RewardSession } from '../rewards/reward-handler.js';
import { readRewardRule } from '../rewards/reward-rule.js';
import { returnInventory, takeInventory } from './plan-inventory.js';
import { Plan } from './plan.entity.js';
import { subscriptionInvalidated } from './subscription-events.js';
import { extendable } from './subscription-grant.js';
import type { SubscriptionRewardHandler } from './subscription-reward.handler.js';
import { loadStates } from './subscription-rows.js';
import { resettable, resetTraffic } from './traffic-reset.js';

/** Why a plan that was paid for cannot be given any more, in order of precedence. */
export const PLAN_DELIVERY_REFUSALS = [
  'SUBSCRIPTION_NOT_FOUND',
  'PLAN_SOLD_OUT',
  'PLAN_QUOTA_REACHED',
  'REWARD_HAS_NO_EFFECT',
] as const;
/** Why a plan, a renewal or new traffic is not sold, in order of precedence. */
export const PLAN_SALE_REFUSALS = [
  'PLAN_NOT_FOUND',
  'PLAN_NOT_SOLD',
  'TRAFFIC_NOT_RESETTABLE',
  'QUANTITY_OUT_OF_RANGE',
  ...PLAN_DELIVERY_REFUSALS,
] as const;
type PlanSaleRefusal = (typeof PLAN_SALE_REFUSALS)[number];

export type PlanSaleKind = 'PURCHASE' | 'RENEWAL' | 'RESET_TRAFFIC';

/** What an order buys of a plan. */
export interface PlanSale {
  readonly orderId: Id;
  readonly userId: Id;
  readonly planId: Id;
  readonly kind: PlanSaleKind;
  readonly quantity: number;
}

/** The plan is null where the tenant has none with this id. */
type PlanWanted = PlanSale & { readonly plan: Plan | null };

/** What an order gets to know and to hold when it is placed. */
export interface PlanOffer {
  readonly unitPrice: string;
  /** Whether the order now holds one of the plan's inventory. */
  readonly takesInventory: boolean;
}

/** What a paid order brought. */
export interface SoldSubscription {
  readonly subscriptionId: Id;
  /** Null where it got no time. */
  readonly period: GrantedPeriod | null;
}

/**
 * Sells plans. An order reserves when it is placed, and what it paid for is given by the session that also gives the
 * rewards of redemptions: both extend the same subscription, by the same rules. Every method but the last works inside
 * the caller's transaction, with the user's row locked.
 */
export class PlanSaleService {
  constructor(
    private readonly handler: SubscriptionRewardHandler,
    private readonly outbox: PlatformServices['outbox'],
  ) {}

  /** The plan of an order, by the database; null where there is none. */
  async find(em: Em, planId: string): Promise<Plan | null> {
    return isId(planId) ? em.findOne(Plan, { id: planId }, FRESH) : null;
  }

  /**
   * Judges the sale as if it were paid now, and takes one of the inventory where it would start a subscription.
   * @throws DomainError one of {@link PLAN_SALE_REFUSALS}
   */
  async reserve(em: Em, tenantId: string, { plan, ...sale }: PlanWanted, now: Date): Promise<PlanOffer> {
    if (plan === null) return refuse('PLAN_NOT_FOUND', 'The tenant has no plan with this id.', 'planId');
    if (sale.kind === 'PURCHASE' && !plan.sell)
      refuse('PLAN_NOT_SOLD', 'This plan is not for sale.', 'planId');
    if (sale.kind === 'RESET_TRAFFIC') return offerTraffic(em, tenantId, sale, plan, now);
    assertQuantity(plan, sale);
    const starts = !(await isHeld(em, tenantId, sale, now));
    if (sale.kind === 'RENEWAL' && starts) refuseRenewal();
    assertGivable(await this.begin(em, tenantId, sale, now), applicationOf(sale, now));
    const takesInventory = starts && (await takeInventory(em, tenantId, plan.id));
    return { unitPrice: plan.unitPrice, takesInventory };
  }

  /** Returns what orders hold that came to nothing: one of the inventory for each of these plans. */
  async release(em: Em, tenantId: string, planIds: readonly Id[]): Promise<void> {
    const byPlan = [...Map.groupBy(planIds, (id) => id)].toSorted(([a], [b]) => compareIds(a, b));
    for (const [planId, same] of byPlan) await returnInventory(em, tenantId, planId, same.length);
  }

  /**
   * Gives what was paid for. What the order holds of the inventory is returned first: the grant takes what it needs,
   * and an extension needs none.
   * @throws DomainError one of {@link PLAN_DELIVERY_REFUSALS}
   */
  async deliver(
    em: Em,
    tenantId: string,
    sale: PlanSale & Pick<PlanOffer, 'takesInventory'>,
    now: Date,
  ): Promise<SoldSubscription> {
    if (sale.takesInventory) await returnInventory(em, tenantId, sale.planId, 1);
    const isReset = sale.kind === 'RESET_TRAFFIC';
    const sold = isReset ? await refill(em, tenantId, sale, now) : await this.give(em, tenantId, sale, now);
    this.announce(em, tenantId, sale, sold.subscriptionId);
    return sold;
  }

  /** Takes the time back that a sale gave. @returns what could not be taken back, in words; null when all was */
  async takeBack(
    em: Em,
    tenantId: string,
    taken: { readonly sale: PlanSale; readonly sold: SoldSubscription; readonly paidAt: Date },
    now: Date,
  ): Promise<string | null> {
    const { sale, paidAt } = taken;
    const { subscriptionId: targetId, period } = taken.sold;
    const reversal = { ...applicationOf(sale, paidAt), targetId, grantedAt: paidAt, period };
    const [reversed] = await this.handler.reverse(em, tenantId, [reversal], 'DEBT', now);
    this.announce(em, tenantId, sale, targetId);
    return reversed?.debt ?? null;
  }

  /** After the commit of a delivery: drops what caches hold. Never throws. */
  async afterCommit(
    tenantId: string,
    { userId, planId }: { readonly userId: Id; readonly planId: Id },
  ): Promise<void> {
    await this.handler.afterCommit(tenantId, [{ userId, sourceId: planId }]);
  }

  private async give(em: Em, tenantId: string, sale: PlanSale, now: Date): Promise<SoldSubscription> {
    if (sale.kind === 'RENEWAL') await assertRenewable(em, tenantId, sale, now);
    const application = applicationOf(sale, now);
    const session = await this.begin(em, tenantId, sale, now);
    assertGivable(session, application);
    const { targetId, period = null } = session.apply(application);
    await session.flush();
    return { subscriptionId: targetId, period };
  }

  private async begin(em: Em, tenantId: string, sale: PlanSale, now: Date): Promise<RewardSession> {
    return this.handler.begin(em, tenantId, [applicationOf(sale, now)]);
  }

  private announce(em: Em, tenantId: string, { userId, planId }: PlanSale, id: Id): void {
    this.outbox.append(em, tenantId, [subscriptionInvalidated({ id, userId, planId })]);
  }
}

/** Whether the user has a subscription that the sale would extend. It stays so until the end of the transaction. */
async function isHeld(em: Em, tenantId: string, { userId, planId }: PlanSale, now: Date): Promise<boolean> {
  const held = await loadStates(em, tenantId, [userId], [planId], 'for update');
  return extendable(held, now.getTime()) !== undefined;
}

/** What was to be renewed may have been taken back since the order was placed. */
async function assertRenewable(em: Em, tenantId: string, sale: PlanSale, now: Date): Promise<void> {
  if (!(await isHeld(em, tenantId, sale, now))) refuseRenewal();
}

function refuseRenewal(): never {
  return refuse('SUBSCRIPTION_NOT_FOUND', 'You have no subscription of this plan to renew.', 'planId');
}

const FRESH = { disableIdentityMap: true } as const;

/** As the only reward of a redemption that bears the order's id. */
function applicationOf({ orderId, userId, planId, quantity }: PlanSale, now: Date): RewardApplication {
  const plan = { type: 'SUBSCRIPTION', id: planId, unit: null, quantity } as const;
  const rule = readRewardRule({ ...plan, value: '0', condition: null });
  return { redemptionId: orderId, orderId, rewardNo: 0, userId, rule, claimedAtMs: now.getTime() };
}

/** What never ends is bought once. */
function assertQuantity({ unitTime }: Plan, { quantity }: PlanSale): void {
  const isPossible = unitTime === 'NO_LIMIT' ? quantity === 1 : isQuantity(unitTime, quantity);
  if (!isPossible) refuse('QUANTITY_OUT_OF_RANGE', 'The plan cannot be bought in this quantity.', 'quantity');
}

const MESSAGES = {
  PLAN_SOLD_OUT: 'This plan is sold out.',
  PLAN_QUOTA_REACHED: 'You have as many subscriptions of this plan as one user may have.',
  REWARD_HAS_NO_EFFECT: 'Your subscription of this plan never ends.',
} as const;

function assertGivable(session: RewardSession, application: RewardApplication): void {
  const refusal = session.refusal(application) as keyof typeof MESSAGES | null;
  const code = refusal ?? (session.hasEffect(application) ? null : 'REWARD_HAS_NO_EFFECT');
  if (code !== null) refuse(code, MESSAGES[code]);
}

async function offerTraffic(
  em: Em,
  tenantId: string,
  sale: PlanSale,
  { resetPrice, trafficBytes }: Plan,
  now: Date,
): Promise<PlanOffer> {
  const unitPrice = resetPrice ?? null;
  if (unitPrice === null || trafficBytes === 0)
    return refuse('TRAFFIC_NOT_RESETTABLE', 'The traffic of this plan cannot be reset.', 'planId');
  if (sale.quantity !== 1)
    refuse('QUANTITY_OUT_OF_RANGE', 'The traffic is reset once by an order.', 'quantity');
  await assertRunning(em, tenantId, sale, now);
  return { unitPrice, takesInventory: false };
}

async function refill(em: Em, tenantId: string, sale: PlanSale, now: Date): Promise<SoldSubscription> {
  const subscriptionId = await assertRunning(em, tenantId, sale, now);
  await resetTraffic(em, subscriptionId, now);
  return { subscriptionId, period: null };
}

async function assertRunning(em: Em, tenantId: string, sale: PlanSale, now: Date): Promise<Id> {
  const current = await resettable(em, tenantId, sale, now.getTime());
  return current?.id ?? refuse('SUBSCRIPTION_NOT_FOUND', 'You have no running subscription of this plan.');
}

function refuse(code: PlanSaleRefusal, message: string, field?: string): never {
  throw new DomainError(code, message, field === undefined ? {} : { field: ['input', field] });
}
