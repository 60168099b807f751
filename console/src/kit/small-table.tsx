import type { ReactNode } from 'react';
import classes from './small-table.module.css';

interface SmallTableProps {
  readonly label: string;
  readonly heads: readonly string[];
  readonly rows: readonly { readonly key: string; readonly cells: readonly ReactNode[] }[];
}

/** A few rows within a panel; a list that has pages is a `ListPage`. */
export function SmallTable({ label, heads, rows }: SmallTableProps) {
  return (
    <div className={classes['scroll']}>
      <table className={classes['rows']} aria-label={label}>
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
              {cells.map((cell, index) => (
                <td key={heads[index]}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
