import { Group, Progress, Text } from '@mantine/core';
import { None } from '../../kit/cells';
import { countText } from '../../kit/format';
import type { Window } from './use-usage';

/** How much of a window is used now: a bar for the eye, and the numbers as text. */
export function Headroom({ window }: { readonly window: Window | null | undefined }) {
  if (window === null) return <None says="not read yet" />;
  if (window === undefined) return <None says="unlimited" />;
  const { limit, used } = window;
  const percentage = limit === 0 ? 0 : Math.min(100, (used / limit) * 100);
  const text = `${countText(used)} of ${countText(limit)}`;
  return (
    <Group gap="xs" wrap="nowrap">
      <Progress
        value={percentage}
        w={96}
        size="sm"
        color={percentage >= 80 ? 'red.9' : 'teal.8'}
        aria-label={`${text} attempts used`}
      />
      <Text size="sm" style={{ whiteSpace: 'nowrap' }}>
        {text}
      </Text>
    </Group>
  );
}
