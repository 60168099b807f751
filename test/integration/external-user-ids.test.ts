import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Actor } from '../../src/graphql/actor.js';
import { ExternalUserIds } from '../../src/identity/users/external-user-ids.js';
import { tenantEm } from '../../src/platform/database/orm.js';
import { ProductApi, staffOf } from '../support/product-api.js';
import { openWorld, redeem, seedCampaign, seedTenant, type World } from '../support/world.js';

let world: World;
let api: ProductApi;
beforeAll(async () => {
  world = await openWorld({}, {}, { reads: { poolSize: 4, statementMsMax: 3000 } });
  api = new ProductApi(world);
});
afterAll(async () => world?.close());

/** Three users of the tenant who have redeemed a code each. */
async function seedRedeemers() {
  const tenant = await seedTenant(world);
  const { tenantId } = tenant;
  const { codes } = await seedCampaign(world, tenant, 3);
  const users: { id: string; name: string }[] = [];
  for (const [index, code] of codes.entries()) {
    const name = `customer-${index}`;
    const { userId } = await world.services.users.createUserToken(tenantId, { externalUserId: name });
    await redeem(world, tenantId, userId, code);
    users.unshift({ id: userId, name });
  }
  return { tenantId, users };
}

const LISTS = `{
  redemptions { items { userId externalUserId } }
  orders { items { userId externalUserId } }
}`;

it('redemptions and orders name the user as the tenant’s own system does', async () => {
  const { tenantId, users } = await seedRedeemers();
  const [newest] = users;
  const all = users.map(({ id, name }) => ({ userId: id, externalUserId: name }));
  const { data, errors } = await api.ask(staffOf(tenantId, 'AUDITOR'), LISTS);
  expect({ data, errors }).toEqual({
    data: { redemptions: { items: all }, orders: { items: all } },
    errors: [],
  });
  const own: Actor = { kind: 'USER', tenantId, userId: newest?.id ?? '' };
  expect((await api.ask(own, LISTS)).data).toEqual({
    redemptions: { items: all.slice(0, 1) },
    orders: { items: all.slice(0, 1) },
  });
});

it('the users of a page are read together, once, and those of another tenant are not named', async () => {
  const { tenantId, users } = await seedRedeemers();
  const { tenantId: other } = await seedTenant(world);
  const orm = world.stores.readOrm;
  const reads: string[] = [];
  const logger = orm.config.getLogger();
  const logQuery = vi
    .spyOn(logger, 'logQuery')
    .mockImplementation(({ query = '' }) => void reads.push(query));
  try {
    const ids = new ExternalUserIds(orm);
    const namesOf = async (tenant: string) => Promise.all(users.map(async ({ id }) => ids.of(tenant, id)));
    expect(await namesOf(tenantId)).toEqual(users.map(({ name }) => name));
    expect(await namesOf(tenantId)).toEqual(users.map(({ name }) => name));
    expect(reads).toHaveLength(1);
    expect(await namesOf(other)).toEqual([null, null, null]);
    expect(reads).toHaveLength(2);
  } finally {
    logQuery.mockRestore();
  }
});

it('name the user of a redemption while every connection of lists is busy, and answer null rather than late', async () => {
  const { tenantId, users } = await seedRedeemers();
  const [first, second] = users;
  const { orm, readOrm } = world.stores;
  let ended = 0;
  const lists = Array.from({ length: 8 }, async () => {
    await tenantEm(readOrm, tenantId).execute('select sleep(4)');
    ended += 1;
  });
  const { externalUserIds } = world.services;
  expect(await externalUserIds.of(tenantId, first?.id ?? '')).toBe(first?.name);
  const busy = new ExternalUserIds(readOrm);
  expect(await busy.of(tenantId, second?.id ?? '')).toBeNull();
  expect(ended, 'lists that are done by then').toBe(0);
  await Promise.allSettled(lists);
  expect(await new ExternalUserIds(orm).of(tenantId, second?.id ?? '')).toBe(second?.name);
});
