import type { OptionValues } from '@commander-js/extra-typings';
import type { Services } from '../app/modules.js';
import { addAction, type Bare } from './action.js';
import { wholeNumber } from './arguments.js';
import { print, printLine } from './output.js';
import { recordOf, tableText, type Columns } from './table.js';

const SIZE_PRESET = 50;
const SIZE_MAX = 500;

interface RowOptions {
  readonly json?: true | undefined;
}

interface PageRange {
  readonly page: number;
  readonly size: number;
}

interface Page<Row> {
  readonly total: number;
  readonly items: readonly Row[];
}

interface Listing<Options extends OptionValues, Row> {
  readonly description: string;
  readonly example: string;
  readonly columns: Columns<Row>;
  /** Adds filters. */
  readonly options: (command: Bare) => Bare<Options>;
  readonly page: (
    services: Services,
    options: Options,
    page: PageRange & { readonly offset: number },
  ) => Promise<Page<Row>>;
}

const rangeOf = ({ page, size }: PageRange): PageRange => ({
  page: Math.max(page, 1),
  size: Math.min(Math.max(size, 1), SIZE_MAX),
});

/** Adds `list` to a group: a table for people, `--json` for machines. */
export function addList<Options extends OptionValues, Row>(
  group: Bare,
  { description, example, columns, options, page }: Listing<Options, Row>,
): void {
  addAction(group, {
    name: 'list',
    description,
    example,
    options: (command) =>
      options(command)
        .option('--page <n>', 'which page', wholeNumber, 1)
        .option('--size <n>', `how many a page, ${SIZE_MAX} at most`, wholeNumber, SIZE_PRESET)
        .option('--json', 'print JSON') as unknown as Bare<Options & PageRange & RowOptions>,
    run: async (services, given) => {
      const range = rangeOf(given);
      return page(services, given, { offset: (range.page - 1) * range.size, ...range });
    },
    print: async (found, given) => printPage(found, rangeOf(given), columns, given),
  });
}

async function printPage<Row>(
  { total, items }: Page<Row>,
  { page, size }: PageRange,
  columns: Columns<Row>,
  { json }: RowOptions,
): Promise<void> {
  if (json === true) {
    const shown = { total, items: items.map((row) => recordOf(row, columns)) };
    return printLine(JSON.stringify(shown, null, 2));
  }
  const pages = Math.max(Math.ceil(total / size), 1);
  const rest = pages > 1 ? `Page ${page} of ${pages}, ${total} in all; --page shows another.\n` : '';
  return print(items.length === 0 ? `None.\n${rest}` : tableText(items, columns) + rest);
}

/** Prints one row that was changed. */
export const printRow =
  <Row>(columns: Columns<Row>) =>
  async (row: Row, { json }: RowOptions): Promise<void> =>
    print(json === true ? `${JSON.stringify(recordOf(row, columns), null, 2)}\n` : tableText([row], columns));
