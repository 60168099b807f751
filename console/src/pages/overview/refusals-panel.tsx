import { Text } from '@mantine/core';
import { Bars } from '../../kit/bars';
import { labelOf } from '../../kit/format';
import { Panel } from '../../kit/panel';
import type { Series } from './hours-panel';
import { Unread } from './unread';

const SHOWN_MAX = 6;

/** Why codes were refused, the most frequent reason first. */
export function RefusalsPanel({ series }: { readonly series: Series | undefined }) {
  const reasons = series?.refusals.filter(({ total }) => total > 0);
  return (
    <Panel title="Refusals by reason, last 2 days">
      {reasons === undefined ? (
        <Unread isLoading />
      ) : reasons.length === 0 ? (
        <Text size="sm" c="dimmed">
          No code was refused.
        </Text>
      ) : (
        <Bars
          color="yellow.7"
          bars={reasons.slice(0, SHOWN_MAX).map(({ refusal, total }) => ({
            key: refusal,
            label: labelOf(refusal),
            count: total,
          }))}
        />
      )}
    </Panel>
  );
}
