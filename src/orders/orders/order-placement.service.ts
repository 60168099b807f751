import { present } from '../../platform/assert.js';
import type { Em } from '../../platform/database/orm.js';
import { DomainError } from '../../platform/errors.js';
import type { Id } from '../../platform/ids.js';
import { argumentsDigest } from '../../platform/input.js';
import { keyDigest } from '../../platform/key-digest.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import type { PlanSaleService } from '../../subscriptions/plan-sale.service.js';
import type { CouponService } from '../coupons/coupon.service.js';
import type { PointsService } from '../points/points.service.js';
import { accountOf, type OrderAccount } from './order-account.js';
import { checkOrder, type CheckedOrder } from './order-input.js';
import { OrderPlacement } from './order-placement.entity.js';
import { isMore, isZero, minus, scaleOf, totalOf, worthOf } from './order-pricing.js';
import { lockUser, readOrder } from './order-rows.js';
import type { OrderSettlement } from './order-settlement.js';
import { Order, PLACED_TYPES } from './order.entity.js';
import type { PlaceOrderRefusal } from './order.errors.js';

/** How orders are placed, by the configuration. */
export interface PlacementTerms {
  /** PENDING orders that a user may have. */
  readonly pendingMax: number;
  /** What a point pays, in any currency. */
  readonly pointValue: string;
  readonly timeoutMs: number;
  /** Sources whose orders are closed by a clean-up of their own. */
  readonly ownCleanUp: readonly string[];
}

export interface PlacementParts extends Pick<PlatformServices, 'ids' | 'clock' | 'transactions'> {
  readonly planSales: PlanSaleService;
  readonly coupons: CouponService;
  readonly points: PointsService;
  readonly settlement: OrderSettlement;
  readonly terms: PlacementTerms;
  /** Has the order closed when its time is over. Never throws. */
  readonly placed: (order: Order) => Promise<void>;
}

/** Everything that an order costs, before coupons and points. */
interface Priced extends OrderAccount {
  readonly total: string;
  readonly takesInventory: boolean;
}

type Costs = Pick<Order, 'total' | 'discount' | 'amount'>;

/** Places orders. What an order needs is reserved with it, in one transaction. */
export class OrderPlacementService {
  constructor(private readonly its: PlacementParts) {}

  /**
   * Places an order, once per idempotency key of the user. Where coupons and points pay all, it is FINISHED at once.
   * @throws DomainError one of {@link PLACE_ORDER_REFUSALS}
   */
  async place(tenantId: string, userId: Id, input: unknown): Promise<Order> {
    const wanted = checkOrder(input);
    const id = this.its.ids.next();
    const order = await this.its.transactions.runForCaller(tenantId, async (em, readsBack) => {
      const { status } = await lockUser(em, userId);
      // The commit of the run before may stand.
      const mine = readsBack ? await readOrder(em, id) : null;
      const known = mine ?? (await this.findByKey(em, tenantId, userId, wanted));
      if (known !== null) return known;
      // The token may be accepted for a second more.
      if (status !== 'ACTIVE') refuse('USER_DISABLED', 'The user is disabled.');
      return this.make(em, { tenantId, id, userId }, wanted);
    });
    if (order.status === 'PENDING') await this.its.placed(order);
    else await this.its.settlement.afterCommit(tenantId, order);
    return order;
  }

  private async findByKey(em: Em, tenantId: string, userId: Id, wanted: CheckedOrder): Promise<Order | null> {
    if (wanted.idempotencyKey === null) return null;
    const idempotencyKey = keyDigest(tenantId, userId, wanted.idempotencyKey);
    const known = await em.findOne(OrderPlacement, { idempotencyKey }, { disableIdentityMap: true });
    if (known === null) return null;
    if (known.argumentsDigest !== argumentsDigest(wanted))
      refuse('IDEMPOTENCY_KEY_REUSED', 'The key belongs to an order with other arguments.', 'idempotencyKey');
    return present(await readOrder(em, known.orderId), 'The order of a placement');
  }

  /** In the order of the locks: the plan and the subscription, coupons, points. */
  private async make(
    em: Em,
    own: Pick<Order, 'tenantId' | 'id' | 'userId'>,
    wanted: CheckedOrder,
  ): Promise<Order> {
    await this.assertFewPending(em, own.userId);
    const now = new Date(this.its.clock.nowMs());
    const priced = await this.priced(em, own, wanted, now);
    const costs = await this.discounted(em, own, wanted, priced, now);
    const { type, sourceType, planId, quantity, points } = wanted;
    const { facilityId, currency, takesInventory } = priced;
    const order = em.create(
      Order,
      {
        ...own,
        ...costs,
        type,
        sourceType,
        planId,
        facilityId,
        currency,
        takesInventory,
        status: 'PENDING',
        quantity: planId === null ? null : quantity,
        pointsSpent: points,
        refunded: '0',
        isNew: false,
        createdAt: now,
      },
      { persist: false },
    );
    await em.insert(order);
    await em.insert(OrderPlacement, this.placementOf(order, wanted));
    if (isZero(order.amount)) return this.its.settlement.settle(em, own.tenantId, order, now);
    return present(await readOrder(em, own.id), 'An order that was just placed');
  }

  /** Under the user's lock. By the user's index, in which placed orders stand apart from redemptions. */
  private async assertFewPending(em: Em, userId: Id): Promise<void> {
    const { pendingMax } = this.its.terms;
    const pending = await em.count(Order, { userId, type: { $in: [...PLACED_TYPES] }, status: 'PENDING' });
    if (pending < pendingMax) return;
    refuse('TOO_MANY_PENDING_ORDERS', `You have ${pending} orders to pay or to cancel first.`);
  }

  private async priced(
    em: Em,
    { tenantId, id: orderId, userId }: Pick<Order, 'tenantId' | 'id' | 'userId'>,
    wanted: CheckedOrder,
    now: Date,
  ): Promise<Priced> {
    if (wanted.type === 'RECHARGE') {
      const account = await accountOf(em, wanted);
      const { scale, currency } = account;
      if (scaleOf(wanted.amount) > scale)
        refuse('AMOUNT_TOO_PRECISE', `${currency} has ${scale} digits after the point.`, 'amount');
      return { ...account, total: wanted.amount, takesInventory: false };
    }
    const { planId, type: kind, quantity } = wanted;
    const plan = await this.its.planSales.find(em, planId);
    const account = await accountOf(em, wanted, plan);
    const sale = { orderId, userId, planId, kind, quantity, plan };
    const { unitPrice, takesInventory } = await this.its.planSales.reserve(em, tenantId, sale, now);
    const total = totalOf(unitPrice, quantity, account.scale);
    if (total === null)
      return refuse(
        'QUANTITY_OUT_OF_RANGE',
        'The total is larger than the largest amount. Lower the quantity.',
        'quantity',
      );
    return { ...account, total, takesInventory };
  }

  /** Coupons first, then points, which pay at most what is left. */
  private async discounted(
    em: Em,
    { tenantId, id: orderId, userId }: Pick<Order, 'tenantId' | 'id' | 'userId'>,
    { couponIds, points }: CheckedOrder,
    { total, currency, scale }: Priced,
    now: Date,
  ): Promise<Costs> {
    const priced = { tenantId, orderId, userId, currency, total, scale };
    const { discount } =
      couponIds.length === 0 ? { discount: '0' } : await this.its.coupons.apply(em, priced, couponIds, now);
    const left = minus(total, discount);
    if (points === 0) return { total, discount, amount: left };
    const worth = worthOf(points, this.its.terms.pointValue, scale);
    if (isZero(worth))
      refuse(
        'POINTS_WORTH_NOTHING',
        'These points are worth less than the smallest unit of the currency. Use more points.',
        'points',
      );
    if (isMore(worth, left))
      refuse('POINTS_EXCEED_TOTAL', `The points are worth ${worth}, and ${left} is left to pay.`, 'points');
    await this.its.points.spend(em, tenantId, userId, orderId, points, now);
    return { total, discount, amount: minus(left, worth) };
  }

  private placementOf({ tenantId, id, userId, createdAt, sourceType }: Order, wanted: CheckedOrder) {
    const { timeoutMs, ownCleanUp } = this.its.terms;
    const hasDeadline = !ownCleanUp.includes(sourceType ?? '');
    const { idempotencyKey: key } = wanted;
    return {
      tenantId,
      orderId: id,
      dueAt: hasDeadline ? new Date(createdAt.getTime() + timeoutMs) : null,
      idempotencyKey: key === null ? null : keyDigest(tenantId, userId, key),
      argumentsDigest: key === null ? null : argumentsDigest(wanted),
    };
  }
}

function refuse(code: PlaceOrderRefusal, message: string, field?: string): never {
  throw new DomainError(code, message, field === undefined ? {} : { field: ['input', field] });
}
