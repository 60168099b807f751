import { describe, expect, it } from 'vitest';
import { systemEm } from '../../src/platform/database/orm.js';
import { factsAfter, factsOf, openClaims } from '../support/facts.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { createScratchDatabase } from '../support/scratch-database.js';
import { expectAtRest } from '../support/truth.js';
import {
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUsers,
  type World,
} from '../support/world.js';

let world: World;
openBeforeAll(async (closing) => {
  const database = await closing(createScratchDatabase());
  world = await closing(openWorld({}, database));
});

const execute = async (sql: string): Promise<unknown> => systemEm(world.stores.orm).execute(sql);

/** From now on the server refuses every write of this kind. */
async function breakWrites(table: string, when = 'true'): Promise<void> {
  await execute(`create trigger broken before insert on ${table} for each row
    if ${when} then signal sqlstate '45000' set message_text = 'broken on purpose'; end if`);
}

describe('a database that fails in the middle of a commit', () => {
  it.each([
    ['redemption', "new.status = 'COMMITTED'"],
    ['subscription', 'true'],
    ['outbox_event', 'true'],
  ])('S4.10 releases the claim (%s), and the code works later', async (table, when) => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(world, tenant, 1);
    const [code = ''] = codes;
    const users = await seedUsers(world, tenantId, 3);
    await breakWrites(table, when);
    try {
      // At once: batches are split until each claim has failed alone.
      const asked = await Promise.allSettled(users.map(async (user) => redeem(world, tenantId, user, code)));
      const failed = asked.filter(({ status }) => status === 'rejected');
      expect(failed.length).toBeGreaterThan(0);
      const held = asked.flatMap((each) => (each.status === 'fulfilled' ? [outcomeOf(each.value)] : []));
      expect(held.filter((outcome) => outcome !== 'CODE_HELD')).toEqual([]);
      expect(await openClaims(world, tenantId)).toBe(0);
      const { tombstones, ...left } = await factsOf(world, tenantId);
      expect({ ...left, tombstones: 0 }).toEqual(factsAfter(0));
      expect(tombstones).toBe(failed.length);
    } finally {
      await execute('drop trigger broken');
    }
    const later = await Promise.all(users.map(async (user) => redeem(world, tenantId, user, code)));
    expect(later.filter(({ status }) => status === 'COMMITTED')).toHaveLength(1);
    const { tombstones, ...after } = await factsOf(world, tenantId);
    expect({ ...after, tombstones: 0 }).toEqual(factsAfter(1));
    expect(tombstones).toBeGreaterThan(0);
    await expectAtRest(world, tenantId);
  });
});
