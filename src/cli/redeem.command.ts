import type { Services } from '../app/modules.js';
import { outsideOperation } from '../platform/recording/current-operation.js';
import type { Bare } from './action.js';
import { example, externalId } from './arguments.js';
import { withNextStep } from './hints.js';
import { printLine } from './output.js';
import { withServices } from './session.js';

type Answer = Awaited<ReturnType<Services['redemptions']['redeem']>>;

export function addRedeemCommand(program: Bare): void {
  program
    .command('redeem')
    .description(
      'Redeem a code for a user, in this process, and print the answer as JSON; exit status 1 if refused.',
    )
    .argument('<code>', 'the code as it was typed')
    .requiredOption('--tenant <id>', 'the tenant')
    .requiredOption('--user <id>', "the user's id in the tenant's own system", externalId)
    .requiredOption('--product <code>', 'the product line that the user is at')
    .option('--key <key>', 'idempotency key: the same call again prints the same answer')
    .addHelpText('after', example('redeem --tenant DEMO --user alice --product DEMO ABCD-EFGH-JKLM-NPQR'))
    .action(
      async (code, { tenant: tenantId, user, product: productCode, key: idempotencyKey = null }, command) => {
        const reply = await withServices(
          command.optsWithGlobals(),
          async (services) => {
            await services.transactions.recordOperation(tenantId, { type: 'user', id: user });
            // Redeemed as the user does it, whose redemptions have rows of their own.
            return outsideOperation(async () => {
              const { id: userId } = await services.users.ensureUser(tenantId, user);
              const asked = { tenantId, userId, code, productCode, deviceId: null, idempotencyKey };
              const answer = await services.redemptions.redeem(asked, { log: services.log });
              if (answer.status !== 'COMMITTED') process.exitCode = 1;
              return shown(answer, services.refusalMessages);
            });
          },
          command,
        );
        await printLine(JSON.stringify(reply, null, 2));
      },
    );
}

/** As the API answers, without what is there for machines alone. */
function shown({ status, orderNo, redemption, refusal }: Answer, messages: Services['refusalMessages']) {
  return {
    status,
    orderNo,
    redemption: redemption && {
      id: redemption.id,
      userId: redemption.userId,
      campaignId: redemption.campaignId,
      useNo: redemption.useNo,
      claimedAt: redemption.claimedAt,
      rewards: redemption.rewards.map(({ type, sourceId, targetId }) => ({ type, sourceId, targetId })),
    },
    refusal: refusal && { ...refusal, message: withNextStep(refusal.code, messages[refusal.code]) },
  };
}
