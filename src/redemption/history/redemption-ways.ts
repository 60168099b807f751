import type { RewardPlace } from '../../campaigns/campaign-rewards.service.js';
import type { CodesMeant } from '../../codes/code-reader.service.js';
import {
  routeBy,
  timesOfRows,
  wayOf,
  type Condition,
  type Route,
  type Way,
  type Wish,
} from '../../platform/database/list-ways.js';
import type { Id } from '../../platform/ids.js';
import type { CountedFilter } from './redemption-totals.js';
import { REDEMPTION_ROW_STATUSES } from './redemption.entity.js';

/** Why a list is of the redemptions that have orders: it is a list of those, and so tombstones may belong to it. */
export interface WithOrders {
  /** The status of the order; null for any. */
  readonly status: string | null;
}

export interface RedemptionListFilter extends CountedFilter {
  readonly id?: Id;
  readonly userId?: Id;
  readonly codeId?: Id;
  /** Half-open, by the instant of the claim. */
  readonly from?: Date;
  readonly before?: Date;
  /** At one of these product lines. */
  readonly productCodes?: readonly string[];
  /** The codes that it was of. */
  readonly codes?: CodesMeant;
  /** Of so many codes that redemptions are held against them one by one. */
  readonly areCodesMany?: boolean;
  readonly withOrders?: WithOrders;
}

/** The indexes that lead to the redemptions of a filter, in the order of the list; the narrowest that there is. */
export function redemptionWays(tenantId: string, filter: RedemptionListFilter): Way[] {
  return routesOf(tenantId, filter).map((route) => wayOf(route, wishesOf(tenantId, filter, route.id)));
}

function routesOf(tenantId: string, filter: RedemptionListFilter): Route[] {
  const { id, codeId, codes, areCodesMany, userId, status, campaignId, productCodes, places } = filter;
  if (codes !== undefined && !areCodesMany) return [codesRoute(codes)];
  if (id !== undefined) return [routeBy('redemption', 'r', 'primary')];
  if (codeId !== undefined) return [codeRoute(tenantId, filter)];
  if (userId !== undefined) return [orderRoute('ix_order__user_type', tenantId, ['o.user_id = ?', userId])];
  if (status === 'REVERSED')
    return [orderRoute('ix_order__type_status', tenantId, ["o.status = 'REFUNDED'"])];
  if (campaignId !== undefined) return [routeBy('redemption', 'r', 'ix_redemption__campaign')];
  if (places !== undefined) return [{ from: 'redemption r', id: 'r.id' }];
  if (productCodes !== undefined) return productRoutes(productCodes, filter);
  return [routeBy('redemption', 'r', 'primary')];
}

/** The index has the status before the id, so that it also counts. */
function productRoutes(codes: readonly string[], { status, withOrders }: RedemptionListFilter): Route[] {
  const shown = withOrders === undefined ? SHOWN : REDEMPTION_ROW_STATUSES;
  return codes.flatMap((code) =>
    (status === undefined ? shown : [status]).map((one) =>
      routeBy('redemption', 'r', 'ix_redemption__product', [
        'r.product_code = ? and r.status = ?',
        code,
        one,
      ]),
    ),
  );
}

const SHOWN = ['COMMITTED', 'REVERSED'] as const;

/** Use numbers of a code follow its commits, and no index has its redemptions by their ids. Tombstones have no number. */
function codeRoute(tenantId: string, { withOrders }: RedemptionListFilter): Route {
  const route = routeBy('redemption', 'r', 'uq_redemption__code_use');
  if (withOrders !== undefined) return route;
  const of = (id: Id): Condition => ({
    sql: '(select at.use_no from redemption at where at.tenant_id = ? and at.id = ?)',
    params: [tenantId, id],
  });
  return { ...route, by: { column: 'r.use_no', of }, wishes: [['r.use_no is not null']] };
}

function codesRoute({ sql, params }: Condition): Route {
  return {
    from: `(${sql}) wanted straight_join redemption r force index (uq_redemption__code_use) on r.code_id = wanted.id`,
    fromParams: params,
    id: 'r.id',
  };
}

/** A redemption's order bears its id: the indexes of orders are those of their redemptions as well. */
function orderRoute(index: string, tenantId: string, wish: Wish): Route {
  return {
    from: `\`order\` o force index (${index})
      straight_join redemption r force index (primary) on r.tenant_id = o.tenant_id and r.id = o.id`,
    id: 'o.id',
    wishes: [['o.tenant_id = ?', tenantId], ["o.type = 'REDEMPTION'"], wish],
  };
}

function wishesOf(tenantId: string, filter: RedemptionListFilter, idColumn: string): Wish[] {
  const { id, userId, codeId, codes, areCodesMany, campaignId, batchId, status, places, productCodes } =
    filter;
  const { withOrders } = filter;
  return [
    ['r.tenant_id = ?', tenantId],
    id !== undefined && ['r.id = ?', id],
    withOrders === undefined && (status === undefined ? ["r.status <> 'ABORTED'"] : ['r.status = ?', status]),
    withOrders !== undefined && orderedWish(withOrders),
    userId !== undefined && ['r.user_id = ?', userId],
    codeId !== undefined && ['r.code_id = ?', codeId],
    campaignId !== undefined && ['r.campaign_id = ?', campaignId],
    batchId !== undefined && ['r.batch_id = ?', batchId],
    productCodes !== undefined && ['r.product_code in (?)', productCodes],
    places !== undefined && given(places),
    codes !== undefined && areCodesMany === true && oneOfCodes(codes),
    ...timesOfRows({ id: idColumn, at: 'r.claimed_at' }, filter),
  ];
}

function orderedWish({ status }: WithOrders): Wish {
  const isIn = 'exists (select 1 from `order` b where b.tenant_id = r.tenant_id and b.id = r.id';
  return status === null ? [`${isIn})`] : [`${isIn} and b.status = ?)`, status];
}

function oneOfCodes({ test }: CodesMeant): Wish {
  return [`exists (${test.sql.replace(':id', 'r.code_id')})`, ...test.params];
}

/** The campaigns lead to the rows by an index; which of their rewards a user got is in the grants. */
function given(places: readonly RewardPlace[]): Wish {
  // Ids are sent as text, and MariaDB compares text with numbers as doubles inside rows; see `campaign-usage.service.ts`.
  const pairs = places.map(() => '(cast(? as unsigned), ?)').join(', ');
  return [
    `r.campaign_id in (?) and exists (select 1 from reward_grant g
      where g.tenant_id = r.tenant_id and g.redemption_id = r.id and (r.campaign_id, g.reward_no) in (${pairs}))`,
    [...new Set(places.map(({ campaignId }) => campaignId))],
    ...places.flatMap(({ campaignId, rewardNo }) => [campaignId, rewardNo]),
  ];
}
