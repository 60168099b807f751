import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../src/codes/code.entity.js';
import { driftsOf, makeScene, reconcilerOf, type Scene } from '../support/reconciliation.js';
import { emOf, openWorld, seedCampaign, seedTenant, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world.close());

const look = async ({ tenantId }: Scene) => reconcilerOf(world).reconciler.run({ tenantId });

describe('X.2 the reconciliation', () => {
  it('finds nothing in a tenant at rest, and says what it looked at', async () => {
    const report = await look(await makeScene(world));
    expect(driftsOf(report)).toEqual({});
    expect(report.verdict).toBe('CLEAN');
    const verdicts = report.invariants.map(({ invariant, verdict }) => `${invariant} ${verdict}`);
    expect(verdicts).toEqual([
      'I1 HOLDS',
      'I2 HOLDS',
      'I3 HOLDS',
      'I4 HOLDS',
      'I5 HOLDS',
      'I6 HOLDS',
      'I7 HOLDS',
      'I8 HOLDS',
      'I9 HOLDS',
    ]);
    expect(report.looked['markers']).toBeGreaterThanOrEqual(4);
    expect(report.looked).toMatchObject({
      codes: 5,
      redemptions: 4,
      orders: 4,
      grants: 4,
      copies: 4,
    });
  });

  it('does not take a limit that was lowered later for one that was broken', async () => {
    const scene = await makeScene(world);
    const { tenantId, limited } = scene;
    await scene.sql(`update redemption set settled_at = settled_at + interval 5 second where tenant_id = ?`, [
      tenantId,
    ]);
    await world.services.campaignChanges.update(tenantId, limited.campaignId, {
      userLimitTotal: 1,
      userLimitDay: 1,
      budgetUses: 1,
      budgetValue: '1',
    });
    expect(driftsOf(await look(scene))).toEqual({});
  });

  it('judges deleted codes, voided batches and unlimited codes as they are', async () => {
    const scene = await makeScene(world);
    const { tenantId, codes, limited } = scene;
    await world.services.codeChanges.delete(tenantId, [codes[0].id]);
    await world.services.codeChanges.update(tenantId, codes[1].id, { useLimit: 0 });
    const [row] = await world.stores.redis.keys(scene.key('open'));
    expect(row).toBeUndefined();
    await world.services.batchChanges.void(tenantId, limited.batchId);
    expect(driftsOf(await look(scene))).toEqual({});
  });

  it('looks at every counter, page by page, where three numbers make its key', async () => {
    const scene = await makeScene(world);
    const { tenantId, limited } = scene;
    const counters = Array.from({ length: 2400 }, (_, n) => [1 + Math.floor(n / 3), n % 3]);
    await scene.sql(
      'insert into campaign_usage (tenant_id, campaign_id, user_id, day, uses, value) values ?',
      [counters.map((counter) => [tenantId, limited.campaignId, ...counter, 0, 0])],
    );
    const report = await look(scene);
    expect(report.looked).toMatchObject({ usageCounters: 2402 });
    expect(driftsOf(report)).toEqual({});
    await scene.sql(
      'update campaign_usage set uses = 1 where tenant_id = ? and user_id in (1, 400, 800) and day = 1',
      [tenantId],
    );
    expect(driftsOf(await look(scene))).toEqual({ CAMPAIGN_USAGE_DIFFERS: 3 });
  });

  it('looks at every code of a large tenant, page by page, and counts each drift of many pages', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    await seedCampaign(world, tenant, 6000);
    const report = async () => reconcilerOf(world).reconciler.run({ tenantId });
    expect(await report()).toMatchObject({ verdict: 'CLEAN', looked: { codes: 6000 } });

    const em = emOf(world, tenantId);
    const last = await em.findOneOrFail(Code, {}, { orderBy: { id: 'desc' } });
    await em.nativeUpdate(Code, { id: last.id }, { used: 1 });
    expect(driftsOf(await report())).toMatchObject({ USED_DIFFERS: 1 });
    // More than are remembered until the second look.
    await em.nativeUpdate(Code, {}, { used: 1 });
    expect(driftsOf(await report())).toMatchObject({ USED_DIFFERS: 6000 });
  });
});
