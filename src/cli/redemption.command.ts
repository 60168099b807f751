import { addAction, ofTenant, type Bare } from './action.js';
import { example } from './arguments.js';
import { printLine } from './output.js';

const REVERSE = 'redemption reverse --tenant CH_123 --id 7312345678901234 --reason "Bought by mistake"';

export function addRedemptionCommands(program: Bare): void {
  const group = program
    .command('redemption')
    .description('What was redeemed.')
    .addHelpText('after', example(REVERSE));
  addAction(group, {
    name: 'reverse',
    description: 'Take back what a redemption gave, once; prints what could not be taken back as JSON.',
    example: REVERSE,
    options: (command) =>
      ofTenant(command)
        .requiredOption('--id <id>', 'the redemption, or its order number')
        .requiredOption('--reason <text>', 'why, for other staff')
        .option('--return-use', 'give the use back to the code, so that it can be redeemed once more')
        .option('--debt', 'state what was spent already as a debt instead of refusing'),
    run: async ({ reversals }, { tenant, id: redemptionId, reason, returnUse, debt }) =>
      reversals.reverse(tenant, 'command line', {
        redemptionId,
        reason,
        returnUse: returnUse ?? false,
        spent: debt === true ? 'DEBT' : 'REFUSE',
      }),
    print: async ({ id, status, rewards }) => {
      const debts = rewards.flatMap(({ rewardNo, type, debt }) => (debt ? [{ rewardNo, type, debt }] : []));
      await printLine(JSON.stringify({ id, status, debts }, null, 2));
    },
  });
}
