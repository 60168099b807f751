import { Text } from '@mantine/core';
import { useOperation } from '../../api/queries';
import { IdCell, TimeCell } from '../../kit/cells';
import { countText } from '../../kit/format';
import { Panel } from '../../kit/panel';
import { SmallTable } from '../../kit/small-table';
import { StatusBadge } from '../../kit/status-badge';
import { CampaignBatchesDocument, type CampaignBatchesQuery } from './campaigns.gql';

type Batch = CampaignBatchesQuery['batches']['items'][number];

/** The latest batches of codes. */
export function BatchesPanel({ campaignId: id }: { readonly campaignId: string }) {
  const { data } = useOperation(CampaignBatchesDocument, { id });
  const batches = data?.batches;
  return (
    <Panel
      title="Batches"
      aside={
        batches !== undefined && (
          <Text size="sm" c="dimmed">
            {batches.total > batches.items.length
              ? `the latest ${batches.items.length} of ${countText(batches.total)}`
              : ''}
          </Text>
        )
      }
    >
      {batches?.items.length === 0 ? (
        <Text size="sm" c="dimmed">
          The campaign has no codes yet.
        </Text>
      ) : (
        <SmallTable
          label="Batches"
          heads={['Batch', 'Status', 'Codes', 'Created']}
          rows={(batches?.items ?? []).map((batch) => ({
            key: batch.id,
            cells: [
              <IdCell value={batch.id} />,
              <StatusBadge value={stateOf(batch)} />,
              batch.generated === batch.requested
                ? countText(batch.generated)
                : `${countText(batch.generated)} of ${countText(batch.requested)}`,
              <TimeCell value={batch.createdAt} />,
            ],
          }))}
        />
      )}
    </Panel>
  );
}

/** What matters most to somebody whose code is refused. */
function stateOf({ status, voidedAt, frozenAt, awaitsActivation, activatedAt }: Batch): string {
  if (voidedAt !== null) return 'VOID';
  if (frozenAt !== null) return 'FROZEN';
  return awaitsActivation && activatedAt === null ? 'AWAITS_SALE' : status;
}
