import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Panel } from './panel';
import { SmallTable } from './small-table';

interface TablePanelProps {
  readonly title: string;
  readonly heads: readonly string[];
  readonly rows: readonly { readonly key: string; readonly cells: readonly ReactNode[] }[];
  readonly empty?: string;
  readonly aside?: ReactNode;
}

/** A short table that a page shows whole. */
export function TablePanel({ title, heads, rows, empty = 'None.', aside }: TablePanelProps) {
  return (
    <Panel title={title} aside={aside}>
      {rows.length === 0 ? (
        <Text size="sm" c="dimmed">
          {empty}
        </Text>
      ) : (
        <SmallTable label={title} heads={heads} rows={rows} />
      )}
    </Panel>
  );
}
