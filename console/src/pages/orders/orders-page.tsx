import { getRouteApi } from '@tanstack/react-router';
import { useOperation } from '../../api/queries';
import { MoneyCell, None, TimeCell } from '../../kit/cells';
import { ChoiceFilter, TextFilter } from '../../kit/filters';
import { labelOf } from '../../kit/format';
import { ListPage, type Column } from '../../kit/list-page';
import { PeriodFilter } from '../../kit/period-filter';
import { pageVariables, periodOf, timeOrderOf } from '../../kit/search';
import { StatusBadge } from '../../kit/status-badge';
import { TextLink } from '../../kit/text-link';
import { PAYMENT_STATES, STATUSES, TYPES } from './order-terms';
import { OrdersDocument, type OrderRowFragment } from './orders.gql';

const route = getRouteApi('/shell/orders');

const columns: readonly Column<OrderRowFragment>[] = [
  { title: 'Time', sort: 'time', cell: ({ createdAt }) => <TimeCell value={createdAt} /> },
  {
    title: 'Order',
    cell: ({ orderNo }) => (
      <TextLink to="/orders/$orderNo" params={{ orderNo }} size="sm" fw={600}>
        {orderNo}
      </TextLink>
    ),
  },
  { title: 'User', cell: ({ externalUserId, userId }) => externalUserId ?? userId },
  { title: 'Type', cell: ({ type }) => labelOf(type) },
  {
    title: 'To pay',
    align: 'end',
    cell: ({ amount, currency }) => <MoneyCell amount={amount} currency={currency} />,
  },
  {
    title: 'Payment',
    cell: ({ paymentState }) =>
      paymentState === null ? <None says="by code" /> : <StatusBadge value={paymentState} />,
  },
  { title: 'Status', cell: ({ status }) => <StatusBadge value={status} /> },
];

/** Orders of the tenant; redemptions are orders, too. */
export function OrdersPage() {
  const { orderNo, user, type, status, payment, from, to, ...search } = route.useSearch();
  const query = useOperation(OrdersDocument, {
    ...pageVariables(search),
    ...timeOrderOf(search),
    filter: {
      orderNo: orderNo ?? null,
      externalUserId: user ?? null,
      type: type ?? null,
      status: status ?? null,
      paymentState: payment ?? null,
      ...periodOf({ from, to }),
    },
  });
  return (
    <ListPage
      title="Orders"
      query={query}
      list={({ orders }) => orders}
      search={search}
      columns={columns}
      filters={
        <>
          <TextFilter name="orderNo" label="Order number" />
          <TextFilter name="user" label="User, by your own id" />
          <ChoiceFilter name="type" label="Type" values={TYPES} />
          <ChoiceFilter name="status" label="Status" values={STATUSES} />
          <ChoiceFilter name="payment" label="Payment" values={PAYMENT_STATES} />
          <PeriodFilter />
        </>
      }
      empty="No order fits. Users place orders, and every redemption makes one."
    />
  );
}
