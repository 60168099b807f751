import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PartnerActor } from '../../src/graphql/actor.js';
import { ProductApi } from '../support/product-api.js';
import { openWorld, seedCampaign, seedTenant, type World } from '../support/world.js';

const SELL = `mutation Sell($input: AllocateCodesInput!) {
  allocateCodes(input: $input) { codes errors { code } }
}`;

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

it('an idempotency key gives the same codes again to its partner alone, also where two have chosen the same', async () => {
  const tenant = await seedTenant(world);
  const { tenantId } = tenant;
  const { campaignId } = await seedCampaign(world, tenant, 1);
  await world.services.pools.set(tenantId, { campaignId, size: 2 });
  await world.services.pools.refill(tenantId, campaignId);
  const api = new ProductApi(world);
  const input = { campaignId, count: 1, channel: 'shop', idempotencyKey: 'order-1' };
  const sell = async (partnerId: string, keyId: string): Promise<unknown> => {
    const scopes: PartnerActor['scopes'] = ['codes:sell'];
    const actor = { kind: 'PARTNER', tenantId, partnerId, keyId, scopes, productCodes: null } as const;
    return (await api.ask(actor, SELL, { input })).data['allocateCodes'];
  };
  const sold = { codes: [expect.any(String)], errors: [] };
  const first = await sell('1', '11');
  expect(first).toEqual(sold);
  expect(await sell('1', '11')).toEqual(first);
  expect(await sell('1', '12'), 'with another API key of the partner').toEqual(first);
  const second = await sell('2', '21');
  expect(second).toEqual(sold);
  expect(second).not.toEqual(first);
});
