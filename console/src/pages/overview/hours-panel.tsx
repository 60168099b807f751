import { Text } from '@mantine/core';
import { countText } from '../../kit/format';
import { Panel } from '../../kit/panel';
import { TimeChart } from '../../kit/time-chart';
import type { HourlySeriesQuery } from './overview.gql';
import { Unread } from './unread';

export const HOURS = 48;

export type Series = HourlySeriesQuery['redemptionSeries'];

export function HoursPanel({ series }: { readonly series: Series | undefined }) {
  return (
    <Panel
      title="Redemptions per hour, last 2 days"
      aside={
        series?.isCounted === false && (
          <Text size="sm" c="dimmed">
            older ones are still being counted
          </Text>
        )
      }
    >
      {series === undefined ? <Unread isLoading /> : <Hours series={series} />}
    </Panel>
  );
}

function Hours({ series: { startsAt, committed, refused } }: { readonly series: Series }) {
  return (
    <TimeChart
      summary={`${total(committed)} redemptions and ${total(refused)} refusals in the last ${HOURS} hours.`}
      step="HOUR"
      times={startsAt.map((start) => Date.parse(start) / 1000)}
      series={[
        { label: 'Committed', tone: 'good', shape: 'BARS', values: committed },
        { label: 'Refused', tone: 'warn', shape: 'LINE', values: refused },
      ]}
    />
  );
}

const total = (counts: readonly number[]): string => countText(counts.reduce((sum, each) => sum + each, 0));
