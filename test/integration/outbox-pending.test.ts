import { expect, it } from 'vitest';
import { openWorld, outcomeOf, redeem, seedCampaign, seedTenant, seedUser } from '../support/world.js';

it('outbox_pending counts what no consumer has handled, in a process that runs none', async () => {
  const world = await openWorld();
  const tenant = await seedTenant(world);
  const { codes } = await seedCampaign(world, tenant, 1);
  const userId = await seedUser(world, tenant.tenantId);
  expect(outcomeOf(await redeem(world, tenant.tenantId, userId, codes[0] ?? ''))).toBe('COMMITTED');
  const text = await world.services.metrics.registry.metrics();
  expect(Number(/^outbox_pending (\d+)$/m.exec(text)?.[1])).toBeGreaterThan(0);
  await world.close();
});
