import { EMPTY_PAGE, type Page, type PageRange } from '../../platform/database/find-page.js';
import { pageOfWays, rowsOfPage } from '../../platform/database/list-ways.js';
import type { Em } from '../../platform/database/orm.js';
import { isId } from '../../platform/ids.js';
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
  return rowsOfPage(em, Order, await pageOfWays(em, orderWays(tenantId, filter), range));
}
