import { buildRedeemkitSchema } from '../../src/app/schema.js';
import type { PartnerActor, PartnerScope } from '../../src/graphql/actor.js';
import { denialOf } from '../../src/graphql/rule.js';
import { systemEm } from '../../src/platform/database/orm.js';
import { register, seedKey } from './partners.js';
import { rootFields } from './root-fields.js';
import type { WalkCaller } from './walk-caller.js';
import { seedUser, type World } from './world.js';

/** @param text of the walk's documents, which are registered: what is denied is denied by the table */
export async function partnerCallers(world: World, tenantId: string, text: string): Promise<WalkCaller[]> {
  const documents = rootFields(buildRedeemkitSchema(), text).map(({ document }) => document);
  const keyOf = async (scope: PartnerScope): Promise<WalkCaller> => {
    const { key, ...ids } = await seedKey(world, tenantId, { scopes: [scope] });
    await register(world, tenantId, ids.partnerId, documents);
    // A use is noted once a minute, and a walk takes longer on a busy machine.
    await systemEm(world.stores.orm).execute(
      'update api_key set last_used_at = utc_timestamp(3) + interval 1 day where tenant_id = ? and id = ?',
      [tenantId, ids.keyId],
    );
    const actor: PartnerActor = { kind: 'PARTNER', tenantId, ...ids, scopes: [scope], productCodes: null };
    return {
      name: `a partner with the scope ${scope}`,
      token: key,
      denied: ({ rule }) => (denialOf(rule, actor)?.extensions['code'] as string | undefined) ?? null,
      hasNoSocket: false,
    };
  };
  const scopes: PartnerScope[] = ['redeem', 'codes:read', 'redemptions:read'];
  return [...(await Promise.all(scopes.map(keyOf))), ...(await revoked(world, tenantId))];
}

async function revoked(world: World, tenantId: string): Promise<WalkCaller[]> {
  const { key, keyId } = await seedKey(world, tenantId);
  const userId = await seedUser(world, tenantId);
  const token = world.services.tokens.sign({ kind: 'USER', tenantId, userId, keyId }, 900);
  await world.services.apiKeys.revoke(tenantId, keyId);
  const barred = { denied: () => 'API_KEY_REVOKED', hasNoSocket: true };
  return [
    { name: 'a partner whose key was revoked', token: key, ...barred },
    { name: 'a user whose token was made by a revoked key', token, ...barred },
  ];
}
