import { afterAll, beforeAll, expect, it } from 'vitest';
import { User } from '../../src/identity/users/user.entity.js';
import {
  emOf,
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUser,
  type World,
} from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

const APART = 'Cafe\u0301';
const WHOLE = 'Caf\u00e9';

it('a tag meets a condition in whichever spelling both were written, stored rows included', async () => {
  const tenant = await seedTenant(world);
  const reward = (userTag: string) => ({ type: 'SUBSCRIPTION', id: tenant.planId, condition: { userTag } });
  for (const [condition, tag] of [
    [WHOLE, APART],
    [APART, WHOLE],
  ] as const) {
    const { codes } = await seedCampaign(world, tenant, 2, { rule: { rewardRules: [reward(condition)] } });
    const userId = await seedUser(world, tenant.tenantId, [tag]);
    expect(outcomeOf(await redeem(world, tenant.tenantId, userId, codes[0] ?? ''))).toBe('COMMITTED');
    const em = emOf(world, tenant.tenantId);
    expect((await em.findOneOrFail(User, { id: userId })).tags).toEqual([WHOLE]);
    const older = await seedUser(world, tenant.tenantId);
    await em.nativeUpdate(User, { id: older }, { tags: [APART] });
    expect(outcomeOf(await redeem(world, tenant.tenantId, older, codes[1] ?? ''))).toBe('COMMITTED');
  }
});

it('a name of as many emoji as its column has characters is stored whole', async () => {
  const tenant = await seedTenant(world);
  const name = '\u{1F381}'.repeat(64);
  const { campaignId } = await seedCampaign(world, tenant, 1, { campaign: { name } });
  expect((await world.services.campaignReader.read(tenant.tenantId, campaignId))?.name).toBe(name);
});
