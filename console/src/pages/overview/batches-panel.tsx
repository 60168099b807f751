import { Group, Progress, Stack, Text } from '@mantine/core';
import { countText } from '../../kit/format';
import { Panel } from '../../kit/panel';
import { TextLink } from '../../kit/text-link';
import type { Overview } from './totals';
import { Unread } from './unread';

const SHOWN_MAX = 5;

/** Batches whose codes are being made. */
export function BatchesPanel({ batches }: { readonly batches: Overview['batchesUnderWay'] | undefined }) {
  return (
    <Panel title="Batches under way">
      {batches === null || batches === undefined ? (
        <Unread isLoading={batches === undefined} />
      ) : batches.length === 0 ? (
        <Text size="sm" c="dimmed">
          No codes are being made at the moment.
        </Text>
      ) : (
        <Stack gap="sm">
          {batches.slice(0, SHOWN_MAX).map(({ batchId, campaignId, campaignName, requested, generated }) => (
            <div key={batchId}>
              <Group justify="space-between" mb={4}>
                <TextLink to="/campaigns/$id" params={{ id: campaignId }} size="sm" fw={600}>
                  {campaignName}
                </TextLink>
                <Text size="xs" c="dimmed">
                  {countText(generated)} of {countText(requested)}
                </Text>
              </Group>
              <Progress
                size="sm"
                value={(100 * generated) / Math.max(requested, 1)}
                aria-label={`Batch ${batchId}: ${countText(generated)} of ${countText(requested)} codes made`}
              />
            </div>
          ))}
          {batches.length > SHOWN_MAX && (
            <Text size="xs" c="dimmed">
              and {batches.length - SHOWN_MAX} more
            </Text>
          )}
        </Stack>
      )}
    </Panel>
  );
}
