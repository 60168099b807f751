import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';

/** Comma by RFC 4180, and what spreadsheets write where the comma is the decimal point. */
const DELIMITER = /[,;\t]/;
const QUOTED = /"[^"]*"/g;
/** Spreadsheets run a cell that begins so, also behind blanks and in full width. */
const RUNS = /^[\s\p{Cc}\p{Cf}]*[=+\-@＝＋－＠]/u;
const TEXT_MARK = "'";

/** What separates the cells of a file: the first that its first line has outside of quotes. */
export function delimiterOf(firstLine: string): string {
  return DELIMITER.exec(firstLine.replaceAll(QUOTED, ''))?.[0] ?? ',';
}

/**
 * The cells of lines, null for each that is no CSV. A line break inside quotes is not taken: an unclosed quote would
 * swallow all lines behind it, and none of them would be named.
 */
export function cellsOf(lines: readonly string[], delimiter: string): (readonly string[] | null)[] {
  // All at once where each line is a record of its own, which is the rule.
  const records = recordsOf(lines.join('\n'), delimiter);
  if (records?.length === lines.length) return records;
  return lines.map((line) => {
    const own = recordsOf(line, delimiter);
    return own?.length === 1 ? (own[0] ?? null) : null;
  });
}

function recordsOf(text: string, delimiter: string): string[][] | null {
  try {
    return parse(text, { delimiter, relax_column_count: true, trim: true });
  } catch {
    return null;
  }
}

/** Lines of CSV whose cells no spreadsheet runs. */
export function csvOf(rows: readonly (readonly (string | number | null)[])[]): string {
  return stringify(
    rows.map((row) => row.map((cell) => (typeof cell === 'string' ? inertCell(cell) : cell))),
    { record_delimiter: 'windows' },
  );
}

/** A cell that a spreadsheet would run is marked as text. */
export function inertCell(text: string): string {
  return RUNS.test(text) || text.startsWith(TEXT_MARK) ? TEXT_MARK + text : text;
}

/** The text of a cell, without the mark that {@link inertCell} puts before it. */
export function plainCell(cell: string): string {
  const text = cell.slice(TEXT_MARK.length);
  return cell.startsWith(TEXT_MARK) && inertCell(text) === cell ? text : cell;
}
