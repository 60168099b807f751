import { Group, Progress, Stack, Text } from '@mantine/core';
import { useEffect } from 'react';
import { queryClient } from '../../api/queries';
import { countText, durationText } from '../../kit/format';
import { Panel } from '../../kit/panel';
import { useLatest } from '../../kit/use-latest';
import { BatchProgressDocument, type BatchRowFragment } from './batches.gql';

/** How far the generation of a batch is, as the worker tells it. */
export function ProgressPanel({ batch }: { readonly batch: BatchRowFragment }) {
  const told = useLatest(BatchProgressDocument, { batchId: batch.id });
  const { generated, requested, percentage } = told ?? batch;
  const isOver = told !== null && told.status !== 'GENERATING' && told.status !== 'PENDING';
  useEffect(() => {
    if (isOver) void queryClient.invalidateQueries();
  }, [isOver]);
  return (
    <Panel title="Generation">
      <Stack gap="xs">
        <Progress value={percentage} aria-label={`${Math.floor(percentage)} % made`} />
        <Group justify="space-between" role="status">
          <Text size="sm">
            {countText(generated)} of {countText(requested)} codes
          </Text>
          <Text size="sm" c="dimmed">
            {paceText(told?.codesPerSecond ?? null, told?.secondsLeft ?? null)}
          </Text>
        </Group>
      </Stack>
    </Panel>
  );
}

function paceText(codesPerSecond: number | null, secondsLeft: number | null): string {
  if (codesPerSecond === null) return 'waiting for a worker';
  const pace = `${countText(codesPerSecond)} codes a second`;
  return secondsLeft === null ? pace : `${pace}, ${durationText(secondsLeft)} left`;
}
