import { Group, Progress, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { countText } from './format';

export interface Bar {
  readonly key: string;
  readonly label: ReactNode;
  readonly count: number;
}

interface BarsProps {
  readonly bars: readonly Bar[];
  readonly color?: string;
}

/** Counts beside each other, each as long as its part of the largest. */
export function Bars({ bars, color = 'brand' }: BarsProps) {
  const most = Math.max(1, ...bars.map(({ count }) => count));
  return (
    <Stack gap={10} component="ul" m={0} p={0}>
      {bars.map(({ key, label, count }) => (
        <li key={key} style={{ listStyle: 'none' }}>
          <Group justify="space-between" wrap="nowrap" mb={4}>
            <Text size="sm" component="div" truncate>
              {label}
            </Text>
            <Text size="sm" fw={600}>
              {countText(count)}
            </Text>
          </Group>
          <Progress size="sm" value={(100 * count) / most} color={color} aria-hidden />
        </li>
      ))}
    </Stack>
  );
}
