import type { MikroORM } from '@mikro-orm/core';
import type { UserService } from '../identity/users/user.service.js';
import type { Clock } from '../platform/clock.js';
import { EMPTY_PAGE, type Page, type PageRange } from '../platform/database/find-page.js';
import { pageOfWays, routeBy, rowsOfPage, wayOf, type Way } from '../platform/database/list-ways.js';
import { tenantEm, type Em } from '../platform/database/orm.js';
import { isId, type Id } from '../platform/ids.js';
import { Plan } from './plan.entity.js';
import { statusAt } from './subscription-status.js';
import { Subscription, SUBSCRIPTION_STATUSES, type SubscriptionStatus } from './subscription.entity.js';

export interface SubscriptionFilter {
  readonly userId?: Id | null | undefined;
  /** The user's id in the tenant's own system. */
  readonly externalUserId?: string | null | undefined;
  readonly planId?: Id | null | undefined;
  /** ACTIVE leaves out what has ended; what the sweep has yet to move is found by no other status. */
  readonly status?: SubscriptionStatus | null | undefined;
}

export interface SubscriptionListParts {
  readonly readOrm: MikroORM;
  readonly clock: Clock;
  readonly users: Pick<UserService, 'find'>;
}

/** Subscriptions of all users, for staff. */
export class SubscriptionList {
  constructor(private readonly its: SubscriptionListParts) {}

  /** Each with its status as of now. */
  async page(tenantId: string, wanted: SubscriptionFilter, range: PageRange): Promise<Page<Subscription>> {
    const filter = await this.named(tenantId, wanted);
    if (filter === null) return EMPTY_PAGE;
    const em = tenantEm(this.its.readOrm, tenantId);
    const nowMs = this.its.clock.nowMs();
    const planIds = filter.planId ? [filter.planId] : filter.status ? await plansOf(em) : [];
    const ways = subscriptionWays(tenantId, filter, planIds, new Date(nowMs));
    const page = await rowsOfPage(em, Subscription, await pageOfWays(em, ways, range));
    return { ...page, items: page.items.map((row) => ({ ...row, status: statusAt(row, nowMs) })) };
  }

  /** The filter with the user's own id; null where nothing can fit. */
  private async named(tenantId: string, wanted: SubscriptionFilter): Promise<SubscriptionFilter | null> {
    const { userId, externalUserId, planId } = wanted;
    if ([userId, planId].some((id) => id && !isId(id))) return null;
    if (!externalUserId) return wanted;
    const named = await this.its.users.find(tenantId, { externalId: externalUserId });
    return named === null || (userId ?? named.id) !== named.id ? null : { ...wanted, userId: named.id };
  }
}

/** @param planIds those to look through where no user is given; none means that neither plan nor status is wanted */
function subscriptionWays(
  tenantId: string,
  { userId, planId, status }: SubscriptionFilter,
  planIds: readonly Id[],
  now: Date,
): Way[] {
  const statuses = status ? [status] : SUBSCRIPTION_STATUSES;
  const ofPlans = planIds.flatMap((id) =>
    statuses.map((one) =>
      routeBy('subscription', 's', 'ix_subscription__plan_status', [
        's.plan_id = ? and s.status = ?',
        id,
        one,
      ]),
    ),
  );
  const isOfAll = !planId && !status;
  const routes = userId
    ? [routeBy('subscription', 's', 'ix_subscription__user_plan', ['s.user_id = ?', userId])]
    : isOfAll
      ? [routeBy('subscription', 's', 'primary')]
      : ofPlans;
  return routes.map((route) =>
    wayOf(route, [
      ['s.tenant_id = ?', tenantId],
      planId ? ['s.plan_id = ?', planId] : false,
      status ? ['s.status = ?', status] : false,
      status === 'ACTIVE' && [
        '(s.expires_at is null or s.expires_at > ?) and (s.traffic_bytes = 0 or s.traffic_used_bytes < s.traffic_bytes)',
        now,
      ],
    ]),
  );
}

/** A tenant has few plans, and the index of states begins with the plan. */
async function plansOf(em: Em): Promise<Id[]> {
  const plans = await em.find(Plan, {}, { fields: ['id'], disableIdentityMap: true });
  return plans.map(({ id }) => id);
}
