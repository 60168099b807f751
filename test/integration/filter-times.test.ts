import { expect, it } from 'vitest';
import { openBeforeAll } from '../support/open-before-all.js';
import { openWorld, seedTenant, type World } from '../support/world.js';

let world: World;
openBeforeAll(async (closing) => {
  world = await closing(openWorld());
});

it('S0.18 times of a filter that no column holds fail no list', async () => {
  const { tenantId } = await seedTenant(world);
  const { accounts, auditLog, redemptionSeries, transfers } = world.services;
  const times = {
    from: new Date('0000-01-01T00:00:00+14:00'),
    before: new Date('9999-12-31T23:59:59-12:00'),
  };
  const range = { offset: 0, size: 5 };
  expect((await transfers.list(tenantId, times, range)).items).toEqual([]);
  expect((await accounts.entries(tenantId, times, range)).items).toEqual([]);
  expect((await auditLog.page(tenantId, times, range)).items).toEqual([]);
  const late = new Date('9999-12-31T00:00:00Z');
  const series = await redemptionSeries.read(tenantId, { step: 'DAY', from: late, to: times.before });
  expect(series.committed).toEqual([0, 0]);
});
