import { Option, type Command } from 'commander';
import type { Services } from '../app/modules.js';
import { STAFF_ROLES, type Actor, type StaffRole } from '../graphql/actor.js';
import { DomainError } from '../platform/errors.js';
import { example, externalId, ttlSeconds, type TenantOptions } from './arguments.js';
import { printLine } from './output.js';
import { assertTenant, withServices } from './session.js';

const TTL_PRESET_S = 900;

interface TokenOptions extends TenantOptions {
  readonly user: string;
  readonly role?: StaffRole;
  readonly ttl: number;
}

export function addTokenCommand(program: Command): void {
  program
    .command('token')
    .description('Print a token: for a user of the tenant, or, with --role, for a member of its staff.')
    .requiredOption('--tenant <id>', 'the tenant')
    .requiredOption(
      '--user <id>',
      "the user's id in the tenant's own system, or a name for the member of staff",
      externalId,
    )
    .addOption(new Option('--role <role>', 'what the member of staff may do').choices(STAFF_ROLES))
    .addOption(
      new Option('--ttl <time>', 'how long it holds: 15m, 2h, 7d, or seconds')
        .argParser(ttlSeconds)
        .default(TTL_PRESET_S, '15m'),
    )
    .addHelpText('after', example('token --tenant DEMO --user alice --role OPERATOR --ttl 2h'))
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<TokenOptions>();
      const token = await withServices(options, async (services) => {
        await assertTenant(services, options.tenant);
        await assertActive(services, options.tenant);
        return services.tokens.sign(await actorOf(services, options), options.ttl, 'BY_OPERATOR');
      });
      await printLine(token);
    });
}

async function actorOf({ users }: Services, { tenant: tenantId, user, role }: TokenOptions): Promise<Actor> {
  if (role !== undefined) return { kind: 'STAFF', tenantId, staffId: user, role };
  // The service's own token is short-lived; what counts here is that it judges the user and makes the row.
  const { userId } = await users.createUserToken(tenantId, { externalUserId: user });
  return { kind: 'USER', tenantId, userId };
}

/** A token is made for nothing where its tenant may do nothing. */
async function assertActive({ access }: Services, tenantId: string): Promise<void> {
  const refusal = await access.refusalOf({ tenantId });
  if (refusal !== null) throw new DomainError(refusal, 'The tenant is switched off; its tokens do nothing.');
}
