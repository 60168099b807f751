import { Grid, type GridColProps } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './panel.module.css';

interface PanelColumnProps {
  readonly span: NonNullable<GridColProps['span']>;
  readonly children: ReactNode;
}

/** Panels below each other, together as high as those beside them. */
export function PanelColumn({ span, children }: PanelColumnProps) {
  return (
    <Grid.Col span={span} className={classes['column'] ?? ''}>
      {children}
    </Grid.Col>
  );
}
