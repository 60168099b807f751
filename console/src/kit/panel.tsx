import { Card, Group, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './panel.module.css';

interface PanelProps {
  readonly title: string;
  /** Beside the title: a link to more, or a figure. */
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}

/** A card of a page with its own title. In a column of flexible height it takes what is left. */
export function Panel({ title, aside, children }: PanelProps) {
  return (
    <Card withBorder component="section" aria-label={title} className={classes['panel']}>
      <Group justify="space-between" mb="sm" wrap="nowrap">
        <Text component="h2" fw={600} size="sm">
          {title}
        </Text>
        {aside}
      </Group>
      {children}
    </Card>
  );
}
