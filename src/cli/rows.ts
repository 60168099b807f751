import type { Command } from 'commander';
import type { Services } from '../app/modules.js';
import { example, wholeNumber, type GlobalOptions, type TenantOptions } from './arguments.js';
import { print, printLine } from './output.js';
import { assertTenant, withServices } from './session.js';
import { recordOf, tableText, type Columns } from './table.js';

const SIZE_PRESET = 50;
const SIZE_MAX = 500;

export interface RowOptions extends GlobalOptions {
  readonly json?: boolean;
}

interface PageOptions extends RowOptions {
  readonly page: number;
  readonly size: number;
  readonly tenant?: string;
}

interface Page<Row> {
  readonly total: number;
  readonly items: readonly Row[];
}

export interface Listing<Options, Row> {
  readonly description: string;
  readonly example: string;
  readonly columns: Columns<Row>;
  /** Adds filters. */
  readonly filters?: (command: Command) => Command;
  /** False where the rows are those of all tenants. */
  readonly isOfTenant?: false;
  page(
    services: Services,
    options: Options & TenantOptions,
    page: { readonly offset: number; readonly size: number; readonly page: number },
  ): Promise<Page<Row>>;
}

/** Adds `list` to a group: a table for people, `--json` for machines. */
export function addList<Options extends object, Row>(group: Command, listing: Listing<Options, Row>): void {
  const bare = group.command('list').description(listing.description);
  if (listing.isOfTenant !== false) bare.requiredOption('--tenant <id>', 'the tenant');
  (listing.filters?.(bare) ?? bare)
    .option('--page <n>', 'which page', wholeNumber, 1)
    .option('--size <n>', `how many a page, ${SIZE_MAX} at most`, wholeNumber, SIZE_PRESET)
    .option('--json', 'print JSON')
    .addHelpText('after', example(listing.example))
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<PageOptions & Options & TenantOptions>();
      const page = Math.max(options.page, 1);
      const size = Math.min(Math.max(options.size, 1), SIZE_MAX);
      const found = await withServices(options, async (services) => {
        if (listing.isOfTenant !== false) await assertTenant(services, options.tenant);
        return listing.page(services, options, { offset: (page - 1) * size, size, page });
      });
      await printPage(found, { page, size }, listing.columns, options);
    });
}

async function printPage<Row>(
  { total, items }: Page<Row>,
  { page, size }: { readonly page: number; readonly size: number },
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

/** Prints one row that was changed or looked up. */
export async function printRow<Row>(row: Row, columns: Columns<Row>, { json }: RowOptions): Promise<void> {
  await print(
    json === true ? `${JSON.stringify(recordOf(row, columns), null, 2)}\n` : tableText([row], columns),
  );
}
