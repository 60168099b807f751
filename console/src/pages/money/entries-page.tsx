import { getRouteApi } from '@tanstack/react-router';
import { useOperation } from '../../api/queries';
import { CountCell, IdCell, MoneyCell, None, TimeCell } from '../../kit/cells';
import { ChoiceFilter, TextFilter } from '../../kit/filters';
import { labelOf } from '../../kit/format';
import { ListPage, type Column } from '../../kit/list-page';
import { PeriodFilter } from '../../kit/period-filter';
import { pageVariables, periodOf, timeOrderOf } from '../../kit/search';
import { ENTRY_TYPES } from './money-terms';
import { EntriesDocument, type EntriesQuery } from './money.gql';

const route = getRouteApi('/shell/entries');

type Row = EntriesQuery['entries']['items'][number];

const columns: readonly Column<Row>[] = [
  { title: 'Time', sort: 'time', cell: ({ createdAt }) => <TimeCell value={createdAt} /> },
  { title: 'No.', align: 'end', cell: ({ entryNo }) => <CountCell value={entryNo} /> },
  { title: 'Type', cell: ({ type }) => labelOf(type) },
  { title: 'User', cell: ({ externalUserId, userId }) => externalUserId ?? userId },
  {
    title: 'Amount',
    align: 'end',
    cell: ({ amount, currency }) => <MoneyCell amount={amount} currency={currency} />,
  },
  { title: 'Before', align: 'end', cell: ({ before }) => <MoneyCell amount={before} currency={null} /> },
  { title: 'After', align: 'end', cell: ({ after }) => <MoneyCell amount={after} currency={null} /> },
  { title: 'Order', cell: ({ orderId }) => <IdCell value={orderId} /> },
  { title: 'Remark', cell: ({ remark }) => remark ?? <None /> },
];

/** Entries of the ledger. They are never changed. */
export function EntriesPage() {
  const { accountId, userId, orderId, currency, type, from, to, ...search } = route.useSearch();
  const query = useOperation(EntriesDocument, {
    ...pageVariables(search),
    ...timeOrderOf(search),
    filter: {
      accountId: accountId ?? null,
      userId: userId ?? null,
      type: type ?? null,
      orderId: orderId ?? null,
      currency: currency ?? null,
      ...periodOf({ from, to }),
    },
  });
  return (
    <ListPage
      title="Entries"
      query={query}
      list={({ entries }) => entries}
      search={search}
      columns={columns}
      filters={
        <>
          <TextFilter name="accountId" label="Id of an account" />
          <TextFilter name="userId" label="Id of a user" />
          <TextFilter name="orderId" label="Order" />
          <ChoiceFilter name="type" label="Type" values={ENTRY_TYPES} />
          <TextFilter name="currency" label="Currency" />
          <PeriodFilter />
        </>
      }
      empty="No entry fits. Every movement of money makes one."
    />
  );
}
