import { Text } from '@mantine/core';
import { countText } from '../../kit/format';
import { Panel } from '../../kit/panel';
import { TimeChart } from '../../kit/time-chart';
import { WINDOW_S, type LiveRate } from './use-live-rate';

/** The mean of so many seconds is steady enough to be read. */
const MEAN_S = 10;

export function LivePanel({ live: { times, committed, refused } }: { readonly live: LiveRate }) {
  const mean = committed.slice(-MEAN_S - 1, -1).reduce((sum, count) => sum + count, 0) / MEAN_S;
  const total = committed.reduce((sum, count) => sum + count, 0);
  const summary = `${countText(total)} redemptions in the last ${WINDOW_S / 60} minutes, at most ${countText(Math.max(...committed))} in a second.`;
  return (
    <Panel
      title="Redemptions per second, last 5 minutes"
      aside={
        <Text size="sm" c="dimmed">
          {mean.toFixed(1)} per second now
        </Text>
      }
    >
      <TimeChart
        summary={summary}
        step="SECOND"
        times={times}
        series={[
          { label: 'Committed', tone: 'good', shape: 'AREA', values: committed },
          // Rare: most are refused before the claim, and no event tells of them.
          ...(refused.some((count) => count > 0)
            ? [{ label: 'Refused after the claim', tone: 'bad', shape: 'LINE', values: refused } as const]
            : []),
        ]}
      />
    </Panel>
  );
}
