import type { MikroORM } from '@mikro-orm/core';
import type { PersonActor } from '../../graphql/actor.js';
import { invariant } from '../../platform/assert.js';
import { isId, type Id } from '../../platform/ids.js';
import { queryTogether } from '../../platform/database/execute-together.js';
import { insertRows } from '../../platform/database/insert-rows.js';
import type { Page, PageRange } from '../../platform/database/find-page.js';
import { tenantEm, type Em } from '../../platform/database/orm.js';
import { within } from '../../platform/scheduling/timeout.js';
import { findOrders } from './order-list.js';
import { moveOrders } from './order-state.js';
import type { OrderFilter } from './order-ways.js';
import { Order, type OrderStatus, type OrderType } from './order.entity.js';

/** What uses up being new: a paid purchase or renewal. A redemption does not. */
const PAID_TYPES: readonly OrderType[] = ['PURCHASE', 'RENEWAL'];
const PAID_STATUSES: readonly OrderStatus[] = ['PAID', 'FINISHED', 'REFUNDED'];

/** Paid, and not refunded. */
const STANDING_STATUSES: readonly OrderStatus[] = ['PAID', 'FINISHED'];

/** What one user has paid in one currency. */
export interface PaidOrders {
  readonly userId: Id;
  readonly currency: string;
  readonly orders: number;
  /** Digits. */
  readonly spent: string;
}

/** The order of one redemption. It bears the redemption's id, and earns no commission. */
export interface RedemptionOrder {
  readonly id: Id;
  readonly userId: Id;
  readonly isNew: boolean;
  /** What the redemption started or extended; null where it gave no subscription. */
  readonly subscriptionId: Id | null;
  readonly createdAt: Date;
  readonly finishedAt: Date;
}

/** The order of a deferred redemption, which has no row yet. */
export interface DeferredOrder {
  readonly userId: Id;
  readonly createdAt: Date;
}

/** Finds the order of a deferred redemption; null for all others. */
export type DeferredOrders = (tenantId: string, orderNo: string) => Promise<DeferredOrder | null>;

/** Which orders of redemptions are asked for, by what only redemptions know as well. */
export interface RedeemedOrderFilter {
  readonly orderNo?: string | null | undefined;
  readonly userId?: Id | null | undefined;
  readonly campaignId?: Id | null | undefined;
  readonly productCode?: string | null | undefined;
  readonly part?: string | null | undefined;
  readonly from?: Date | null | undefined;
  readonly before?: Date | null | undefined;
  readonly status: OrderStatus | null;
}

/** Finds the ids of orders of redemptions. */
export type RedeemedOrders = (
  actor: PersonActor,
  wanted: RedeemedOrderFilter,
  page: PageRange,
) => Promise<Page<{ readonly id: Id }>>;

export class OrderService {
  /** @param listOrm where lists are read, which may take long */
  constructor(
    private readonly orm: MikroORM,
    private readonly timeoutMs: number,
    private readonly listOrm: MikroORM = orm,
  ) {}

  /** Which of these users have paid before. For all the others an order is new. */
  async usersWithPaidOrder(em: Em, tenantId: string, userIds: readonly Id[]): Promise<Set<Id>> {
    if (userIds.length === 0) return new Set();
    // Raw for the form that stops at a user's first paid order, however many there are.
    const rows = await queryTogether<{ id: number | string }>(
      em,
      `select u.id from user u where u.tenant_id = ? and u.id in (?) and exists (
         select 1 from \`order\` o force index (ix_order__user_type)
          where o.tenant_id = u.tenant_id and o.user_id = u.id and o.type in (?) and o.status in (?))`,
      [tenantId, userIds, PAID_TYPES, PAID_STATUSES],
    );
    return new Set(rows.map((row) => String(row.id)));
  }

  /** What users have paid in purchases and renewals that stand, less what was refunded, by currency, in whole units. */
  async paidBy(em: Em, tenantId: string, userIds: readonly Id[]): Promise<PaidOrders[]> {
    return queryTogether(
      em,
      `select cast(user_id as char) as userId, currency, count(*) as orders, 
              cast(floor(sum(amount - coalesce(refunded, 0))) as char) as spent
         from \`order\` force index (ix_order__user_type)
        where tenant_id = ? and user_id in (?) and type in (?) and status in (?) group by user_id, currency`,
      [tenantId, userIds, PAID_TYPES, STANDING_STATUSES],
    );
  }

  /** Orders that are finished as they are made, in the transaction of their redemptions. */
  async insertRedemptionOrders(em: Em, tenantId: string, orders: readonly RedemptionOrder[]): Promise<void> {
    await insertOrders(em, tenantId, orders, 'FINISHED');
  }

  /** Orders of aborted redemptions, in the transaction of their tombstones. */
  async insertFailedOrders(em: Em, tenantId: string, orders: readonly RedemptionOrder[]): Promise<void> {
    await insertOrders(em, tenantId, orders, 'FAILED');
  }

  /** The order of a redemption that is reversed, in its transaction. */
  async refundRedemptionOrder(em: Em, tenantId: string, id: Id): Promise<void> {
    const refunded = await moveOrders(em, tenantId, [id], { from: 'FINISHED', to: 'REFUNDED', set: {} });
    invariant(refunded === 1, 'The order of a committed redemption is not FINISHED.');
  }

  /**
   * An order by its number; that of a deferred redemption is PENDING until it is settled.
   * @param userId whose order it has to be; null finds every order of the tenant
   * @throws StoreUnavailableError
   */
  async find(
    tenantId: string,
    orderNo: string,
    userId: Id | null,
    deferred: DeferredOrders = async () => null,
  ): Promise<Order | null> {
    if (!isId(orderNo)) return null;
    const row = await this.row(tenantId, orderNo, userId);
    if (row !== null) return row;
    const awaited = await deferred(tenantId, orderNo);
    if (awaited === null || (userId !== null && awaited.userId !== userId)) return null;
    // It may have been settled between the two looks.
    return (await this.row(tenantId, orderNo, userId)) ?? this.pendingOrder(tenantId, orderNo, awaited);
  }

  private async row(tenantId: string, id: Id, userId: Id | null): Promise<Order | null> {
    const em = tenantEm(this.orm, tenantId);
    const read = em.findOne(Order, { id, ...ofUser(userId) }, { disableIdentityMap: true });
    return within(this.timeoutMs, 'database', read);
  }

  private async pendingOrder(tenantId: string, id: Id, { userId, createdAt }: DeferredOrder): Promise<Order> {
    const buyers = this.usersWithPaidOrder(tenantEm(this.orm, tenantId), tenantId, [userId]);
    const isNew = !(await within(this.timeoutMs, 'database', buyers)).has(userId);
    return {
      ...NOT_PLACED,
      tenantId,
      id,
      userId,
      type: 'REDEMPTION',
      status: 'PENDING',
      amount: '0',
      isNew,
      subscriptionId: null,
      createdAt,
      finishedAt: null,
    };
  }

  /** Newest first. */
  async list(tenantId: string, page: PageRange, filter: OrderFilter = {}): Promise<Page<Order>> {
    return findOrders(tenantEm(this.listOrm, tenantId), tenantId, filter, page);
  }
}

/** What only orders have that users place. */
const NOT_PLACED = {
  sourceType: null,
  currency: null,
  facilityId: null,
  planId: null,
  quantity: null,
  takesInventory: null,
  total: null,
  discount: null,
  pointsSpent: null,
  refunded: null,
  paidAt: null,
  closedAt: null,
  closeReason: null,
} as const;

function ofUser(userId: Id | null): { userId?: Id } {
  return userId === null ? {} : { userId };
}

async function insertOrders(
  em: Em,
  tenantId: string,
  orders: readonly RedemptionOrder[],
  status: OrderStatus,
): Promise<void> {
  const rows = orders.map((order) => ({
    tenant_id: tenantId,
    id: order.id,
    user_id: order.userId,
    type: 'REDEMPTION',
    status,
    amount: '0',
    is_new: order.isNew,
    subscription_id: order.subscriptionId,
    created_at: order.createdAt,
    finished_at: order.finishedAt,
  }));
  await insertRows(em, 'order', rows);
}
