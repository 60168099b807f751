import { expect, it } from 'vitest';
import { openBeforeAll } from '../support/open-before-all.js';
import { createScratchDatabase } from '../support/scratch-database.js';
import { refusedBy } from '../support/staff-world.js';
import { openWorld, type World } from '../support/world.js';

const ROUNDS = 25;
const PLATFORMS = ['P_ONE', 'P_TWO'] as const;

let worlds: readonly [World, World];
// Their database is theirs alone: these are its only platform tenants.
openBeforeAll(async (closing) => {
  const { databaseUrl } = await closing(createScratchDatabase());
  const open = async (): Promise<World> => closing(openWorld({}, { databaseUrl }));
  worlds = [await open(), await open()];
  for (const id of PLATFORMS)
    await worlds[0].services.tenants.create({ id, name: 'Platform', type: 'PLATFORM' });
});

async function active(): Promise<string[]> {
  const { items } = await worlds[0].services.tenants.page({ status: 'ACTIVE' }, { offset: 0, size: 10 });
  return items.map(({ id }) => id);
}

it('of two platform tenants that disable each other at once, one remains, which the operator may disable', async () => {
  const [one, two] = PLATFORMS;
  const disabled = { status: 'DISABLED' } as const;
  const [{ services: first }, { services: second }] = worlds;
  for (let round = 0; round < ROUNDS; round += 1) {
    const outcomes = await Promise.all([
      refusedBy(first.tenantChanges.updateBy(one, two, disabled)),
      refusedBy(second.tenantChanges.updateBy(two, one, disabled)),
    ]);
    expect(outcomes.toSorted()).toEqual(['PLATFORM_TENANT_REQUIRED', 'TAKEN']);
    expect(await active()).toEqual([outcomes[0] === 'TAKEN' ? one : two]);
    for (const id of PLATFORMS) await first.tenantChanges.update(id, { status: 'ACTIVE' });
  }
  await first.tenantChanges.updateBy(one, two, disabled);
  expect(await active()).toEqual([one]);
  await first.tenantChanges.update(one, disabled);
  expect(await active()).toEqual([]);
});
