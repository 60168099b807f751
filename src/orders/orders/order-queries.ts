import type { MikroORM } from '@mikro-orm/core';
import type { PersonActor } from '../../graphql/actor.js';
import type { UserService } from '../../identity/users/user.service.js';
import { EMPTY_PAGE, type Page, type PageRange } from '../../platform/database/find-page.js';
import { rowsOfPage } from '../../platform/database/list-ways.js';
import { tenantEm } from '../../platform/database/orm.js';
import type { Id } from '../../platform/ids.js';
import { findOrders } from './order-list.js';
import { NEVER_REDEEMED, type OrderFilter } from './order-ways.js';
import { Order } from './order.entity.js';
import type { RedeemedOrders } from './order.service.js';

/** What callers ask for. An id that is none matches nothing. */
export interface WantedOrders extends Omit<OrderFilter, 'id'> {
  readonly orderNo?: string | null | undefined;
  /** The user's id in the tenant's own system. */
  readonly externalUserId?: string | null | undefined;
  readonly campaignId?: Id | null | undefined;
  readonly productCode?: string | null | undefined;
  /** What a customer typed of the code. For staff. */
  readonly part?: string | null | undefined;
}

export interface OrderLists {
  readonly readOrm: MikroORM;
  readonly users: Pick<UserService, 'find'>;
  readonly redeemed: RedeemedOrders;
}

/** A page of orders: users see their own, whatever they filter by. */
export async function listOrders(
  its: OrderLists,
  actor: PersonActor,
  wanted: WantedOrders,
  page: PageRange,
): Promise<Page<Order>> {
  const { tenantId } = actor;
  const userId = await userOf(its.users, actor, wanted);
  if (userId === null) return EMPTY_PAGE;
  const em = tenantEm(its.readOrm, tenantId);
  const { orderNo: id, campaignId, productCode, part, ...others } = wanted;
  if (!campaignId && !productCode && !part) return findOrders(em, tenantId, { ...others, id, userId }, page);
  const { type, paymentState, from, before, status = null } = wanted;
  const isNone = (type && type !== 'REDEMPTION') || paymentState || (status && NEVER_REDEEMED.has(status));
  if (isNone) return EMPTY_PAGE;
  const redeemed = { orderNo: id, campaignId, productCode, part, from, before, userId, status };
  return rowsOfPage(em, Order, await its.redeemed(actor, redeemed, page));
}

/** Whose orders are asked for: undefined for all, null where there is no such user. */
async function userOf(
  users: OrderLists['users'],
  actor: PersonActor,
  { userId, externalUserId }: WantedOrders,
): Promise<Id | null | undefined> {
  if (actor.kind === 'USER') return actor.userId;
  if (!externalUserId) return userId ?? undefined;
  const named = await users.find(actor.tenantId, { externalId: externalUserId });
  return named === null || (userId ?? named.id) !== named.id ? null : named.id;
}
