import { addAction, ofTenant, type Bare } from './action.js';
import { printLine } from './output.js';

/** After an upgrade beside which an older version was at work, and where reconciliation says so. */
export function addRecountCommand(program: Bare): void {
  addAction(program, {
    name: 'recount',
    description:
      'Correct totals of lists and counts over time by the rows that they count. May run beside everything else.',
    example: 'recount --tenant DEMO',
    options: ofTenant,
    run: async ({ codeTotals, redemptionTotals, seriesRecount }, { tenant }) => {
      await codeTotals.recount(tenant);
      await redemptionTotals.recount(tenant);
      await seriesRecount.recount(tenant);
    },
    print: async (_done, { tenant }) => printLine(`The totals of ${tenant} are those of its rows.`),
  });
}
