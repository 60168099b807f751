import { Option } from '@commander-js/extra-typings';
import type { Services } from '../app/modules.js';
import { STAFF_ROLES, type Actor, type StaffRole } from '../graphql/actor.js';
import { DomainError } from '../platform/errors.js';
import { addAction, ofTenant, type Bare } from './action.js';
import { externalId, ttlSeconds } from './arguments.js';
import { printLine } from './output.js';

const TTL_PRESET_S = 900;

export function addTokenCommand(program: Bare): void {
  addAction(program, {
    name: 'token',
    description: 'Print a token: for a user of the tenant, or, with --role, for a member of its staff.',
    example: 'token --tenant DEMO --user alice --role OPERATOR --ttl 2h',
    options: (command) =>
      ofTenant(command)
        .requiredOption(
          '--user <id>',
          "the user's id in the tenant's own system, or a name for the member of staff",
          externalId,
        )
        .addOption(new Option('--role <role>', 'what the member of staff may do').choices(STAFF_ROLES))
        .addOption(
          new Option('--ttl <time>', 'how long it holds: 15m, 2h, 7d, or seconds')
            .default(TTL_PRESET_S, '15m')
            .argParser(ttlSeconds),
        ),
    run: async (services, { tenant, user, role, ttl }) => {
      await assertActive(services, tenant);
      return services.tokens.sign(await actorOf(services, tenant, user, role), ttl, 'BY_OPERATOR');
    },
    print: printLine,
  });
}

async function actorOf(
  { users, transactions }: Services,
  tenantId: string,
  user: string,
  role: StaffRole | undefined,
): Promise<Actor> {
  if (role !== undefined) {
    await transactions.recordOperation(tenantId, { type: 'staff', id: user });
    return { kind: 'STAFF', tenantId, staffId: user, role };
  }
  // The service's own token is short-lived; what counts here is that it judges the user and makes the row.
  const { userId } = await users.createUserToken(tenantId, { externalUserId: user });
  return { kind: 'USER', tenantId, userId };
}

/** A token is made for nothing where its tenant may do nothing. */
async function assertActive({ access }: Services, tenantId: string): Promise<void> {
  const refusal = await access.refusalOf({ tenantId });
  if (refusal !== null) throw new DomainError(refusal, 'The tenant is DISABLED, so its tokens are refused.');
}
