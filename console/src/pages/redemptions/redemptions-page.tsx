import { getRouteApi } from '@tanstack/react-router';
import { useOperation } from '../../api/queries';
import { None, TimeCell } from '../../kit/cells';
import { ChoiceFilter, TextFilter } from '../../kit/filters';
import { labelOf } from '../../kit/format';
import { ListPage, type Column } from '../../kit/list-page';
import { PeriodFilter } from '../../kit/period-filter';
import { pageVariables, periodOf, timeOrderOf } from '../../kit/search';
import { StatusBadge } from '../../kit/status-badge';
import { TextLink } from '../../kit/text-link';
import { RedemptionsDocument, type RedemptionRowFragment } from './redemptions.gql';

const route = getRouteApi('/shell/redemptions');

const columns: readonly Column<RedemptionRowFragment>[] = [
  { title: 'Time', sort: 'time', cell: ({ claimedAt }) => <TimeCell value={claimedAt} /> },
  {
    title: 'Order',
    cell: ({ id }) => (
      <TextLink to="/redemptions/$id" params={{ id }} size="sm" fw={600}>
        {id}
      </TextLink>
    ),
  },
  {
    title: 'User',
    cell: ({ externalUserId, userId }) => externalUserId ?? userId,
  },
  { title: 'Campaign', cell: ({ campaignName, campaignId }) => campaignName ?? campaignId },
  {
    title: 'Code',
    cell: ({ codeLastFour }) => (codeLastFour === null ? <None says="not read" /> : `…${codeLastFour}`),
  },
  { title: 'Product line', cell: ({ productCode }) => productCode },
  {
    title: 'Rewards',
    cell: ({ rewards }) => rewards.map(({ type }) => labelOf(type)).join(', ') || <None />,
  },
  { title: 'Status', cell: ({ status }) => <StatusBadge value={status} /> },
];

/** Redemptions of the tenant. */
export function RedemptionsPage() {
  const { code, user, orderNo, campaignId, codeId, status, from, to, ...search } = route.useSearch();
  const query = useOperation(RedemptionsDocument, {
    ...pageVariables(search),
    ...timeOrderOf(search),
    filter: {
      part: code ?? null,
      externalUserId: user ?? null,
      orderNo: orderNo ?? null,
      campaignId: campaignId ?? null,
      codeId: codeId ?? null,
      status: status ?? null,
      ...periodOf({ from, to }),
    },
  });
  return (
    <ListPage
      title="Redemptions"
      query={query}
      list={({ redemptions }) => redemptions}
      search={search}
      columns={columns}
      filters={
        <>
          <TextFilter name="code" label="Code, as typed" />
          <TextFilter name="user" label="User, by your own id" />
          <TextFilter name="orderNo" label="Order number" />
          <ChoiceFilter name="status" label="Status" values={['COMMITTED', 'REVERSED']} />
          <PeriodFilter />
        </>
      }
      empty="No redemption fits. A redemption appears here within a second of its commit."
    />
  );
}
