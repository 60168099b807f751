import type { Page, PageRange } from '../platform/database/find-page.js';
import {
  pageOfWays,
  routeBy,
  rowsOfPage,
  timesOfRows,
  wayOf,
  type Condition,
  type Route,
} from '../platform/database/list-ways.js';
import type { Em } from '../platform/database/orm.js';
import type { Id } from '../platform/ids.js';
import { Entry, type EntryType } from './entry.entity.js';

/** What is missing or null matches everything. */
export interface EntryFilter {
  readonly accountId?: Id | null | undefined;
  readonly userId?: Id | null | undefined;
  readonly facilityId?: Id | null | undefined;
  readonly currency?: string | null | undefined;
  readonly type?: EntryType | null | undefined;
  readonly orderId?: string | null | undefined;
  /** Half-open, by when they were made. */
  readonly from?: Date | null | undefined;
  readonly before?: Date | null | undefined;
}

/** One page; of one account in the order of its numbers. Accounts know these, so most entries are never counted. */
export async function findEntries(
  em: Em,
  tenantId: string,
  filter: EntryFilter,
  range: PageRange,
): Promise<Page<Entry>> {
  const { accountId, userId, facilityId, currency, type, orderId } = filter;
  const way = wayOf(routeOf(tenantId, filter), [
    ['e.tenant_id = ?', tenantId],
    accountId ? ['e.account_id = ?', accountId] : false,
    userId ? ['e.user_id = ?', userId] : false,
    facilityId ? ['e.facility_id = ?', facilityId] : false,
    currency ? ['e.currency = ?', currency] : false,
    type ? ['e.type = ?', type] : false,
    orderId ? ['e.order_id = ?', orderId] : false,
    ...timesOfRows({ id: 'e.id', at: 'e.created_at' }, filter),
  ]);
  const isNarrow = [type, orderId, filter.from, filter.before].some(Boolean);
  const count = isNarrow ? undefined : async () => sumOfNumbers(em, tenantId, filter);
  return rowsOfPage(em, Entry, await pageOfWays(em, [way], range, count));
}

function routeOf(tenantId: string, { accountId, userId, orderId }: EntryFilter): Route {
  if (accountId && orderId) return routeBy('money_entry', 'e', 'uq_money_entry__order');
  if (accountId) return { ...routeBy('money_entry', 'e', 'uq_money_entry__no'), by: numberOf(tenantId) };
  return routeBy('money_entry', 'e', userId ? 'ix_money_entry__user' : 'primary');
}

/** Clocks differ, so that the ids of an account's entries are not in the order of their numbers. */
function numberOf(tenantId: string): NonNullable<Route['by']> {
  const of = (id: Id): Condition => ({
    sql: '(select at.entry_no from money_entry at where at.tenant_id = ? and at.id = ?)',
    params: [tenantId, id],
  });
  return { column: 'e.entry_no', of };
}

async function sumOfNumbers(
  em: Em,
  tenantId: string,
  { accountId, userId, facilityId, currency }: EntryFilter,
): Promise<number> {
  const given = { id: accountId, user_id: userId, facility_id: facilityId, currency };
  const fields = Object.entries(given).filter(([, value]) => Boolean(value));
  const [row] = await em.execute<[{ total: number | string }]>(
    `select coalesce(sum(entry_no), 0) as total from money_account
      where tenant_id = ?${fields.map(([column]) => ` and ${column} = ?`).join('')}`,
    [tenantId, ...fields.map(([, value]) => value)],
  );
  return Number(row.total);
}
