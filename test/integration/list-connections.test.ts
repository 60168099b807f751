import { getNamedType, getNullableType, isListType } from 'graphql';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Actor } from '../../src/graphql/actor.js';
import { ProductApi, staffOf } from '../support/product-api.js';
import { rootFields } from '../support/root-fields.js';
import { openWorld, redeem, seedCampaign, seedTenant, seedUser, type World } from '../support/world.js';

let world: World;
let api: ProductApi;
let staff: Actor;
let user: Actor;
beforeAll(async () => {
  world = await openWorld({}, {}, { reads: { poolSize: 4, statementMsMax: 5000 } });
  api = new ProductApi(world);
  const tenant = await seedTenant(world);
  await seedCampaign(world, tenant, 2);
  const { tenantId } = tenant;
  staff = staffOf(tenantId);
  user = { kind: 'USER', tenantId, userId: await seedUser(world, tenantId) };
});
afterAll(async () => world?.close());

/** The statements that take a connection of redemptions. */
async function onMainPool(work: () => Promise<unknown>): Promise<string[]> {
  return statementsOf(world.stores.orm, work);
}

async function statementsOf({ em }: World['stores']['orm'], work: () => Promise<unknown>): Promise<string[]> {
  const spy = vi.spyOn(em.getConnection(), 'execute');
  await work();
  const statements = spy.mock.calls.map(([sql]) => sql);
  spy.mockRestore();
  return statements;
}

/**
 * A tenant and its settings are read by their primary keys, into copies that all requests share. A comparison that is
 * asked for is noted for the worker by one row.
 */
const KEPT =
  /from `?tenant(_settings)?`? .*where .*id`? = \? (and .*id`? = \? )?limit|^insert into `reconciliation_run`|from `reconciliation_run` .* desc limit/;

it('X.19 no list reads over the connections of redemptions', async () => {
  const fields = api.schema.getQueryType()?.getFields() ?? {};
  const isLong = (name: string): boolean => {
    const type = fields[name]?.type;
    return (
      type !== undefined &&
      (isListType(getNullableType(type)) || /Page$|Report$/.test(getNamedType(type).name))
    );
  };
  const lists = rootFields(api.schema, 'x').filter(({ kind, name }) => kind === 'query' && isLong(name));
  expect(lists.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      'users',
      'tenants',
      'productLines',
      'mySubscriptions',
      'orders',
      'codes',
      'reconciliationReport',
    ]),
  );
  const found: Record<string, string[]> = {};
  for (const { name, document } of lists) {
    const actor = name.startsWith('my') || name === 'subscriptionNodes' ? user : staff;
    const statements = await onMainPool(async () => {
      const { errors } = await api.ask(actor, document);
      expect([name, errors]).toEqual([name, name === 'tenants' ? ['FORBIDDEN'] : []]);
    });
    found[name] = statements.filter((sql) => !KEPT.test(sql));
  }
  expect(Object.entries(found).filter(([, statements]) => statements.length > 0)).toEqual([]);
});

it.each(['attempts', 'batches', 'campaigns', 'codes', 'nodes', 'orders', 'plans', 'redemptions', 'users'])(
  'S0.18 %s are counted only for a caller that selects the total',
  async (name) => {
    const countsOf = async (fields: string): Promise<string[]> => {
      // Behind the end of the list, so that the total does not follow from the page.
      const source = `{ ${name}(page: 90, size: 1) { ${fields} } }`;
      const ask = async () => expect((await api.ask(staff, source)).errors).toEqual([]);
      const statements = await statementsOf(world.stores.readOrm, ask);
      expect(statements).not.toEqual([]);
      return statements.filter((sql) => /count\(|sum\(/i.test(sql));
    };
    expect(await countsOf('items { id }')).toEqual([]);
    expect(await countsOf('total')).not.toEqual([]);
  },
);

it('S0.18 what a page of redemptions shows of campaigns and codes is read once, however many rows it has', async () => {
  const { tenantId } = staff;
  const planId = (await world.services.plans.create(tenantId, { name: 'P', unitPrice: '1', unitTime: 'DAY' }))
    .id;
  const campaign = await seedCampaign(world, { tenantId, planId }, 5);
  for (const code of campaign.codes) await redeem(world, tenantId, await seedUser(world, tenantId), code);
  const statements = await statementsOf(world.stores.readOrm, async () => {
    const source = `{ redemptions(size: 5) { items { campaignName codeLastFour } } codes(size: 5) { items { campaignName } } }`;
    const { data, errors } = await api.ask(staff, source);
    expect(errors).toEqual([]);
    expect(data['redemptions']?.['items']).toEqual(
      campaign.codes
        .toReversed()
        .map((code) => ({ campaignName: 'Test campaign', codeLastFour: code.slice(-4) })),
    );
  });
  expect(statements.filter((sql) => /`last_four` from `code`/.test(sql))).toHaveLength(1);
  expect(statements.filter((sql) => /`name` from `campaign`/.test(sql)).length).toBeLessThan(3);
});

it('X.19 the list of all tenants reads over separate connections', async () => {
  const platform = { id: `P_${world.services.ids.next().slice(-10)}`, name: 'Platform', type: 'PLATFORM' };
  await world.services.tenants.create(platform);
  const statements = await onMainPool(async () => {
    const { data } = await api.ask(
      staffOf(platform.id),
      `{ tenants(size: 5, filter: { part: "${platform.id}" }) { total items { id } } }`,
    );
    expect(data['tenants']?.['items']).toEqual([{ id: platform.id }]);
  });
  expect(statements).toHaveLength(1);
  expect(statements[0]).toContain('`id` = ? limit');
});

it('X.19 a scrape counts waiting events over separate connections', async () => {
  const statements = await onMainPool(async () => world.services.metrics.registry.metrics());
  expect(statements).toEqual([]);
});
