import { createHash } from 'node:crypto';
import { cellsOf, delimiterOf } from './csv-cells.js';
import { filledPages, type TextLine } from './csv-lines.js';
import { columnsOf, wantedOf, type ImportColumns, type RefusedLine, type WantedCode } from './import-line.js';

/** What one transaction takes. Runs of one import have to agree on it, because they continue between two pages. */
const LINES_AT_ONCE = 1000;
/** In the place of a line that is too long: an unclosed quote, which is no CSV either. */
const UNREADABLE = '"';

/** Some lines of a file, judged by themselves. */
export interface ImportPage {
  readonly codes: readonly WantedCode[];
  readonly refused: readonly RefusedLine[];
  readonly firstLine: number;
  readonly lastLine: number;
  /** Of all lines up to the last one. */
  readonly linesDigest: string;
}

/** What the first line says of all. */
interface FileForm {
  readonly delimiter: string;
  readonly columns: ImportColumns;
  readonly hasHeader: boolean;
}

/** The pages of a file, which depend on nothing but its text. @throws DomainError IMPORT_HEADER_MISSING */
export async function* importPages(source: AsyncIterable<Uint8Array>): AsyncGenerator<ImportPage> {
  const digest = createHash('sha256');
  let form: FileForm | null = null;
  for await (const lines of filledPages(source, LINES_AT_ONCE)) {
    for (const { text } of lines) digest.update(`${text ?? ''}\n`);
    const headers = form === null ? 1 : 0;
    form ??= formOf(lines[0]?.text ?? '');
    const rows = rowsOf(lines, form.delimiter).slice(form.hasHeader ? headers : 0);
    const { codes, refused } = judged(rows, form.columns);
    const [firstLine, lastLine] = [lines[0]?.number ?? 0, lines.at(-1)?.number ?? 0];
    yield { codes, refused, firstLine, lastLine, linesDigest: digest.copy().digest('hex') };
  }
}

/** @throws DomainError IMPORT_HEADER_MISSING */
function formOf(firstLine: string): FileForm {
  const delimiter = delimiterOf(firstLine);
  const [cells = null] = cellsOf([firstLine], delimiter);
  const columns = columnsOf(cells);
  return { delimiter, columns: columns ?? { code: 0 }, hasHeader: columns !== null };
}

interface ImportRow {
  readonly line: number;
  readonly cells: readonly string[] | null;
}

function rowsOf(lines: readonly TextLine[], delimiter: string): ImportRow[] {
  const texts = lines.map(({ text }) => text ?? UNREADABLE);
  const cells = cellsOf(texts, delimiter);
  return lines.map(({ number }, index) => ({ line: number, cells: cells[index] ?? null }));
}

/** Of two lines with the same code the first counts. */
function judged(
  rows: readonly ImportRow[],
  columns: ImportColumns,
): { readonly codes: WantedCode[]; readonly refused: RefusedLine[] } {
  const codes = new Map<string, WantedCode>();
  const refused: RefusedLine[] = [];
  for (const { line, cells } of rows) {
    const wanted = wantedOf(line, cells, columns);
    if ('reason' in wanted) refused.push(wanted);
    else if (codes.has(wanted.canonical)) refused.push({ line, reason: 'CODE_REPEATED' });
    else codes.set(wanted.canonical, wanted);
  }
  return { codes: [...codes.values()], refused };
}
