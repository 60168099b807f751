import { getRouteApi } from '@tanstack/react-router';
import { useOperation } from '../../api/queries';
import { CountCell, None, TimeCell } from '../../kit/cells';
import { ChoiceFilter, TextFilter } from '../../kit/filters';
import { labelOf } from '../../kit/format';
import { ListPage, type Column } from '../../kit/list-page';
import { PeriodFilter } from '../../kit/period-filter';
import { pageVariables, periodOf } from '../../kit/search';
import { StatusBadge } from '../../kit/status-badge';
import { TextLink } from '../../kit/text-link';
import { REFUSALS } from './refusal-terms';
import { RefusalsDocument, type RefusalsQuery } from './refusals.gql';

const route = getRouteApi('/shell/refusals');

type Row = RefusalsQuery['attempts']['items'][number];

const columns: readonly Column<Row>[] = [
  { title: 'Time', cell: ({ refusedAt }) => <TimeCell value={refusedAt} /> },
  {
    title: 'User',
    cell: ({ userId, externalUserId }) => (
      <TextLink to="/users/$id" params={{ id: userId }} size="sm">
        {externalUserId ?? userId}
      </TextLink>
    ),
  },
  { title: 'Refusal', cell: ({ refusal }) => <StatusBadge value={refusal} tone="bad" /> },
  {
    title: 'Limit of',
    cell: ({ limitedBy }) => (limitedBy === null ? <None /> : labelOf(limitedBy)),
  },
  { title: 'Product line', cell: ({ productCode }) => productCode ?? <None says="none named" /> },
  { title: 'Device', cell: ({ deviceId }) => deviceId ?? <None /> },
  { title: 'Address', cell: ({ address }) => address ?? <None /> },
  { title: 'Preview', cell: ({ isPreview }) => (isPreview ? 'yes' : 'no') },
  { title: 'Repeated', align: 'end', cell: ({ further }) => <CountCell value={further} /> },
];

/** Attempts that were refused: a sample, without the texts of codes. */
export function RefusalsPage() {
  const { code, user, refusal, from, to, ...search } = route.useSearch();
  const query = useOperation(RefusalsDocument, {
    ...pageVariables(search),
    filter: {
      code: code ?? null,
      externalUserId: user ?? null,
      refusal: refusal ?? null,
      ...periodOf({ from, to }),
    },
  });
  return (
    <ListPage
      title="Refused attempts"
      query={query}
      list={({ attempts }) => attempts}
      search={search}
      columns={columns}
      filters={
        <>
          <TextFilter name="code" label="Code, as typed" />
          <TextFilter name="user" label="User, by your own id" />
          <ChoiceFilter name="refusal" label="Refusal" values={REFUSALS} />
          <PeriodFilter />
        </>
      }
      empty="No attempt fits. Attempts that were refused stand here for some weeks; of many at once only some."
    />
  );
}
