import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createClient, operation, RequestError } from '../../sdk/src/index.js';
import { createPartner, type Partner } from '../../sdk/src/partners.js';
import { seedKey } from '../support/partners.js';
import { sdkScene } from '../support/sdk-scene.js';
import { seedCampaign, seedTenant } from '../support/world.js';

const MANIFEST = readFileSync('sdk/operations.json', 'utf8');

const scene = sdkScene();

/** A partner with the operations of the SDK, and a campaign whose pool is full. */
async function seeded(manifest = MANIFEST) {
  const { world } = scene;
  const tenant = await seedTenant(world);
  const { campaignId } = await seedCampaign(world, tenant, 1);
  await world.services.pools.set(tenant.tenantId, { campaignId, size: 20 });
  await world.services.pools.refill(tenant.tenantId, campaignId);
  const scopes = ['redeem', 'codes:read', 'codes:sell', 'redemptions:read'] as const;
  const { key: apiKey, partnerId } = await seedKey(world, tenant.tenantId, { scopes });
  await world.services.registeredOperations.register(tenant.tenantId, 'eve', { partnerId, manifest });
  const partner: Partner = createPartner({ url: scene.proxy.url, apiKey, retry: { firstPauseMs: 5 } });
  return { ...tenant, campaignId, partner };
}

describe('a partner with the SDK', () => {
  it('sends the ids of registered operations, signs users in and sells codes, once for each key', async () => {
    const { campaignId, partner } = await seeded();
    const { token } = await partner.createUserToken({ externalUserId: 'alice', productCode: 'DEMO' });
    scene.proxy.acts = ['LOSE'];
    const order = { campaignId, count: 2, channel: 'Shop', idempotencyKey: 'order-1' };
    const sold = await partner.allocateCodes(order);
    expect(sold).toMatchObject({ isReplayed: true, allocation: { count: 2, receiver: 'Shop' } });
    expect(new Set(sold.codes).size).toBe(2);
    expect((await partner.allocateCodes(order)).codes).toEqual(sold.codes);
    for (const { body } of scene.proxy.requests) expect(JSON.parse(body)).not.toHaveProperty('query');

    const client = createClient({ url: scene.proxy.url, env: 'web', token });
    expect(await client.redeemCode(sold.codes[0] ?? '')).toMatchObject({ status: 'COMMITTED' });
    expect(await partner.redemptions()).toMatchObject({ total: 1, items: [{ externalUserId: 'alice' }] });
    await expect(partner.activateBatch('1')).rejects.toMatchObject({ code: 'BATCH_NOT_FOUND' });
  });

  it('is told which operation is not registered', async () => {
    const { partner } = await seeded(JSON.stringify({ aa: 'query Viewer { viewer { kind } }' }));
    await expect(partner.redemptions()).rejects.toMatchObject({ code: 'OPERATION_NOT_REGISTERED' });
    await expect(partner.redemptions()).rejects.toThrow(RequestError);
    const viewer = operation<{ viewer: { kind: string } }>('query Viewer { viewer { kind } }');
    expect(await partner.run(viewer, {})).toEqual({ viewer: { kind: 'PARTNER' } });
  });
});
