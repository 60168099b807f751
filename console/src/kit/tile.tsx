import { Card, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './tile.module.css';

interface TileProps {
  readonly label: string;
  readonly tone?: 'good' | 'bad' | undefined;
  /** A line below the figure. */
  readonly hint?: ReactNode;
  /** The figure. */
  readonly children: ReactNode;
}

/** One figure that is seen at once. */
export function Tile({ label, tone, hint, children }: TileProps) {
  return (
    <Card withBorder padding="sm" role="group" aria-label={label}>
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <div className={classes['figure']} data-tone={tone}>
        {children}
      </div>
      <Text size="xs" c="dimmed" component="div" truncate>
        {hint ?? '\u00a0'}
      </Text>
    </Card>
  );
}
