import type { Page, PageRange } from '../platform/database/find-page.js';
import {
  pageOfWays,
  routeBy,
  rowsOfPage,
  timesOfRows,
  wayOf,
  type Route,
  type Wish,
} from '../platform/database/list-ways.js';
import type { Em } from '../platform/database/orm.js';
import type { Id } from '../platform/ids.js';
import { Transfer } from './transfer.entity.js';

/** What is missing or null matches everything. */
export interface TransferFilter {
  /** Of either side. */
  readonly userId?: Id | null | undefined;
  readonly facilityId?: Id | null | undefined;
  readonly currency?: string | null | undefined;
  readonly orderId?: string | null | undefined;
  /** Half-open, by when they were made. */
  readonly from?: Date | null | undefined;
  readonly before?: Date | null | undefined;
}

/** One page. Of a user those sent and those received are looked for apart, because no index has both. */
export async function findTransfers(
  em: Em,
  tenantId: string,
  filter: TransferFilter,
  range: PageRange,
): Promise<Page<Transfer>> {
  const { userId, facilityId, currency, orderId } = filter;
  const routes: Route[] = userId
    ? [
        routeBy('money_transfer', 't', 'ix_money_transfer__from', ['t.from_user_id = ?', userId]),
        routeBy('money_transfer', 't', 'ix_money_transfer__to', ['t.to_user_id = ?', userId]),
      ]
    : [routeBy('money_transfer', 't', 'primary')];
  const others: Wish[] = [
    ['t.tenant_id = ?', tenantId],
    facilityId ? ['t.facility_id = ?', facilityId] : false,
    currency ? ['t.currency = ?', currency] : false,
    orderId ? ['t.order_id = ?', orderId] : false,
    ...timesOfRows({ id: 't.id', at: 't.created_at' }, filter),
  ];
  const ways = routes.map((route) => wayOf(route, others));
  return rowsOfPage(em, Transfer, await pageOfWays(em, ways, range));
}
