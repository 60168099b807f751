import { getRouteApi } from '@tanstack/react-router';
import { useOperation } from '../../api/queries';
import { IdCell, MoneyCell, TimeCell } from '../../kit/cells';
import { TextFilter } from '../../kit/filters';
import { ListPage, type Column } from '../../kit/list-page';
import { PeriodFilter } from '../../kit/period-filter';
import { pageVariables, periodOf } from '../../kit/search';
import { TextLink } from '../../kit/text-link';
import { TransfersDocument, type TransfersQuery } from './money.gql';

const route = getRouteApi('/shell/transfers');

type Row = TransfersQuery['transfers']['items'][number];

function User({ id }: { readonly id: string }) {
  return (
    <TextLink to="/users/$id" params={{ id }} size="sm">
      {id}
    </TextLink>
  );
}

const columns: readonly Column<Row>[] = [
  { title: 'Time', cell: ({ createdAt }) => <TimeCell value={createdAt} /> },
  { title: 'From', cell: ({ fromUserId }) => <User id={fromUserId} /> },
  { title: 'To', cell: ({ toUserId }) => <User id={toUserId} /> },
  {
    title: 'Paid',
    align: 'end',
    cell: ({ amount, currency }) => <MoneyCell amount={amount} currency={currency} />,
  },
  { title: 'Fee', align: 'end', cell: ({ fee }) => <MoneyCell amount={fee} currency={null} /> },
  { title: 'Received', align: 'end', cell: ({ net }) => <MoneyCell amount={net} currency={null} /> },
  {
    title: 'Key of the sender',
    cell: ({ orderId }) => (
      <TextLink to="/entries" search={{ orderId }} size="sm">
        {orderId}
      </TextLink>
    ),
  },
  { title: 'Facility', cell: ({ facilityId }) => <IdCell value={facilityId} /> },
];

/** Transfers between users. They are never changed. */
export function TransfersPage() {
  const { userId, orderId, facilityId, currency, from, to, ...search } = route.useSearch();
  const query = useOperation(TransfersDocument, {
    ...pageVariables(search),
    filter: {
      userId: userId ?? null,
      orderId: orderId ?? null,
      facilityId: facilityId ?? null,
      currency: currency ?? null,
      ...periodOf({ from, to }),
    },
  });
  return (
    <ListPage
      title="Transfers"
      query={query}
      list={({ transfers }) => transfers}
      search={search}
      columns={columns}
      filters={
        <>
          <TextFilter name="userId" label="Id of a user" />
          <TextFilter name="orderId" label="Key of the sender" />
          <TextFilter name="facilityId" label="Id of a facility" />
          <TextFilter name="currency" label="Currency" />
          <PeriodFilter />
        </>
      }
      empty="No transfer fits. Users send each other money within a facility."
    />
  );
}
