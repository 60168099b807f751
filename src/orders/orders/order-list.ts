import { EMPTY_PAGE, type Page, type PageRange } from '../../platform/database/find-page.js';
import { pageOfWays } from '../../platform/database/list-ways.js';
import type { Em } from '../../platform/database/orm.js';
import { isId, type Id } from '../../platform/ids.js';
import { orderWays, type OrderFilter } from './order-ways.js';
import { Order } from './order.entity.js';

/** One page. An id that is none matches nothing. */
export async function findOrders(
  em: Em,
  tenantId: string,
  filter: OrderFilter,
  range: PageRange,
): Promise<Page<Order>> {
  const { id, userId } = filter;
  if ([id, userId].some((one) => one && !isId(one))) return EMPTY_PAGE;
  const page = await pageOfWays(em, orderWays(tenantId, filter), range);
  return { ...page, items: await rowsOf(em, page.items) };
}

/** In the order of the ids. */
export async function rowsOf(em: Em, ids: readonly { readonly id: Id }[]): Promise<Order[]> {
  const rows = await em.find(Order, { id: { $in: ids.map(({ id }) => id) } }, { disableIdentityMap: true });
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap(({ id }) => byId.get(id) ?? []);
}
