import { Text } from '@mantine/core';
import { useOperation } from '../../api/queries';
import { TimeCell } from '../../kit/cells';
import { countText } from '../../kit/format';
import { Panel } from '../../kit/panel';
import { SmallTable } from '../../kit/small-table';
import { StatusBadge } from '../../kit/status-badge';
import { TextLink } from '../../kit/text-link';
import { stateOf } from '../batches/batch-state';
import { CampaignBatchesDocument } from './campaigns.gql';

/** The latest batches of codes. */
export function BatchesPanel({ campaignId: id }: { readonly campaignId: string }) {
  const { data } = useOperation(CampaignBatchesDocument, { id });
  const batches = data?.batches;
  return (
    <Panel
      title="Batches"
      aside={
        batches !== undefined &&
        batches.total > batches.items.length && (
          <TextLink to="/batches" search={{ campaignId: id }} size="sm">
            All {countText(batches.total)}
          </TextLink>
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
              <TextLink to="/batches/$id" params={{ id: batch.id }} size="sm">
                {batch.id}
              </TextLink>,
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
