import { Progress } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { useOperation } from '../../api/queries';
import { CountCell, TimeCell } from '../../kit/cells';
import { TextFilter } from '../../kit/filters';
import { ListPage, type Column } from '../../kit/list-page';
import { pageVariables } from '../../kit/search';
import { StatusBadge } from '../../kit/status-badge';
import { TextLink } from '../../kit/text-link';
import { AddCodesMenu } from './add-codes-menu';
import { isUnderWay, stateOf } from './batch-state';
import { BatchesDocument, type BatchRowFragment } from './batches.gql';

/** Batches that a worker makes move on. */
const EVERY_MS = 2000;

const route = getRouteApi('/shell/batches');

const columns: readonly Column<BatchRowFragment>[] = [
  {
    title: 'Batch',
    cell: ({ id }) => (
      <TextLink to="/batches/$id" params={{ id }} size="sm" fw={600}>
        {id}
      </TextLink>
    ),
  },
  {
    title: 'Campaign',
    cell: ({ campaignId, campaignName }) => (
      <TextLink to="/campaigns/$id" params={{ id: campaignId }} size="sm">
        {campaignName ?? campaignId}
      </TextLink>
    ),
  },
  { title: 'Status', cell: (batch) => <StatusBadge value={stateOf(batch)} /> },
  { title: 'Codes', align: 'end', cell: ({ requested }) => <CountCell value={requested} /> },
  {
    title: 'Made',
    cell: (batch) =>
      isUnderWay(batch) ? (
        <Progress value={batch.percentage} w={120} size="sm" aria-label={`${batch.percentage} % made`} />
      ) : (
        <CountCell value={batch.generated} />
      ),
  },
  { title: 'Created', cell: ({ createdAt }) => <TimeCell value={createdAt} /> },
];

/** Batches of codes. */
export function BatchesPage() {
  const { campaignId, ...search } = route.useSearch();
  const filter = { campaignId: campaignId ?? null };
  const query = useOperation(BatchesDocument, { ...pageVariables(search), filter }, ({ batches }) =>
    batches.items.some(isUnderWay) ? EVERY_MS : undefined,
  );
  return (
    <ListPage
      title="Batches"
      query={query}
      list={({ batches }) => batches}
      search={search}
      columns={columns}
      filters={<TextFilter name="campaignId" label="Id of a campaign" />}
      empty="No batch fits. A batch is made each time that a campaign gets codes."
      actions={<AddCodesMenu campaignId={campaignId} />}
    />
  );
}
