/** What is shown of a row, by the name of its column; the same names and values as JSON for machines. */
export type Columns<Row> = Readonly<Record<string, (row: Row) => unknown>>;

/** Columns that show fields as they are. */
export function fields<Row>(...names: readonly (keyof Row & string)[]): Columns<Row> {
  return Object.fromEntries(names.map((name) => [name, (row: Row) => row[name]]));
}

/** Rows for people: aligned, one a line, under their columns' names. */
export function tableText<Row>(rows: readonly Row[], columns: Columns<Row>): string {
  const heads = Object.keys(columns);
  const lines = rows.map((row) => Object.values(columns).map((of) => cellText(of(row))));
  const widths = heads.map((head, index) =>
    Math.max(...[head, ...lines.map((cells) => cells[index] ?? '')].map((text) => text.length)),
  );
  const lineOf = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd();
  return [heads, ...lines].map((cells) => `${lineOf(cells)}\n`).join('');
}

/** One row as JSON holds it. */
export function recordOf<Row>(row: Row, columns: Columns<Row>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(columns).map(([name, of]) => [name, of(row) ?? null]));
}

function cellText(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-';
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.join(',');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
