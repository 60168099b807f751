import { Card, Text } from '@mantine/core';
import { Fragment, type ReactNode } from 'react';
import classes from './list-page.module.css';

interface StaticTableProps {
  readonly title: string;
  readonly heads: readonly string[];
  readonly rows: readonly { readonly key: string; readonly cells: readonly ReactNode[] }[];
  readonly empty?: string;
}

/** A short table that a page shows whole. */
export function StaticTable({ title, heads, rows, empty = 'Nothing here.' }: StaticTableProps) {
  return (
    <Card withBorder component="section" aria-label={title} p={0}>
      <Text component="h2" fw={600} size="sm" p="sm">
        {title}
      </Text>
      <div className={classes['scroll']}>
        <table className={classes['table']} aria-label={title}>
          <thead>
            <tr>
              {heads.map((head) => (
                <th key={head} scope="col">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ key, cells }) => (
              <tr key={key}>
                {cells.map((cell, at) => (
                  <td key={heads[at]}>
                    <Fragment>{cell}</Fragment>
                  </td>
                ))}
              </tr>
            ))}
            {rows.length === 0 && (
              <tr>
                <td colSpan={heads.length} className={classes['empty']}>
                  {empty}
                </td>
              </tr>
            )}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
