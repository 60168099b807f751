import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/platform/clock.js';
import { createLog } from '../../src/platform/log.js';
import { NamedLock } from '../../src/platform/orm/named-lock.js';
import { CompensationJob } from '../../src/redemption/reconciliation/compensation.jobs.js';
import { factsOf, openClaims } from '../support/facts.js';
import { openClaim } from '../support/open-claim.js';
import { driftsOf, makeScene, reconcilerOf, type Scene } from '../support/reconciliation.js';
import { openWorld, outcomeOf, redeem, seedUser, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world.close());

const NOTHING = { swept: 0, mended: {}, left: {} };
const compensate = async ({ tenantId }: Scene) => reconcilerOf(world).compensation.run(tenantId);

/** A claim whose process has died; `end` is how far it had come. */
async function abandonedClaim(scene: Scene, end: 'claimed' | 'committed' | 'tombstoned'): Promise<void> {
  const { tenantId, idleText } = scene;
  const { redis } = world.stores;
  const claim = await openClaim(world, scene, idleText, await seedUser(world, tenantId));
  const key = scene.key(`claims:${claim.digest}`);
  const stored = (await redis.hget(key, claim.redemptionId)) ?? '';
  if (end === 'committed') await world.services.settlement.settle(claim);
  if (end === 'tombstoned')
    await world.services.settlement.abandon(tenantId, [{ claim, reason: 'DEADLINE_PASSED' }]);
  const deadlineMs = systemClock.nowMs() + (end === 'claimed' ? -1 : 15_000);
  await redis.hset(key, claim.redemptionId, stored.replace(/\|\d+\|/, `|${deadlineMs}|`));
  await redis.zadd(scene.key('open'), deadlineMs, `${claim.redemptionId}|${claim.digest}`);
}

describe('S4.15 compensation', () => {
  it('gives a claim up that was admitted in Redis and never settled, in the database and in Redis', async () => {
    const scene = await makeScene(world);
    await abandonedClaim(scene, 'claimed');
    const before = await factsOf(world, scene.tenantId);
    expect(await compensate(scene)).toEqual({ ...NOTHING, swept: 1 });
    expect(await openClaims(world, scene.tenantId)).toBe(0);
    expect(await factsOf(world, scene.tenantId)).toEqual({ ...before, tombstones: before.tombstones + 1 });
    expect(await compensate(scene)).toEqual(NOTHING);
  });

  it('confirms in Redis what the database has committed, and gives back what it has given up', async () => {
    const scene = await makeScene(world);
    await abandonedClaim(scene, 'tombstoned');
    await abandonedClaim(scene, 'committed');
    const before = await factsOf(world, scene.tenantId);
    const other = await seedUser(world, scene.tenantId);
    expect(outcomeOf(await redeem(world, scene.tenantId, other, scene.idleText))).toBe('CODE_HELD');
    expect(await compensate(scene)).toEqual({ ...NOTHING, mended: { CLAIM_LEFT_OPEN: 2 } });
    expect(await openClaims(world, scene.tenantId)).toBe(0);
    expect(await factsOf(world, scene.tenantId), 'the database is as it was').toEqual(before);
    expect(outcomeOf(await redeem(world, scene.tenantId, other, scene.idleText))).toBe('COMMITTED');
    expect(await compensate(scene)).toEqual(NOTHING);
  });

  it('drops copies that the database has overtaken, and then both sides agree', async () => {
    const scene = await makeScene(world);
    const { tenantId, codes } = scene;
    await scene.sql('update code set version = version + 1, used = used where tenant_id = ?', [tenantId]);
    expect(await compensate(scene)).toEqual({ ...NOTHING, mended: { COPY_BEHIND: 2 } });
    expect(await world.stores.redis.hgetall(scene.key(`code:${codes[0].codeDigest}`))).toEqual({
      version: '3',
    });
    expect(driftsOf(await reconcilerOf(world).reconciler.run({ tenantId }))).toEqual({});
    expect(await compensate(scene)).toEqual(NOTHING);
  });

  it('leaves claims alone that are under way, and finds nothing to do', async () => {
    const scene = await makeScene(world);
    await openClaim(world, scene, scene.idleText, scene.users[1]);
    expect(await compensate(scene)).toEqual(NOTHING);
    expect(await openClaims(world, scene.tenantId)).toBe(1);
  });
});

describe('S4.15 compensation by itself', () => {
  it('comes each hour, and at once when Redis was started anew, by one worker at a time', async () => {
    let [nowMs, serverRun, runs] = [0, 'first', 0];
    const jobOf = (purpose: string) =>
      new CompensationJob({
        compensation: {
          run: async () => {
            runs += 1;
            return NOTHING;
          },
        },
        redis: { serverRun: async () => serverRun },
        lock: new NamedLock(world.stores.orm, purpose),
        clock: { nowMs: () => nowMs },
        log: createLog({ level: 'silent' }),
      });
    const job = jobOf('compensation-test');
    expect(await job.tick()).toBe(false);
    nowMs = 3_599_999;
    expect(await job.tick()).toBe(false);
    nowMs = 3_600_000;
    expect([await job.tick(), await job.tick(), runs]).toEqual([true, false, 1]);
    serverRun = 'second';
    expect([await job.tick(), await job.tick(), runs]).toEqual([true, false, 2]);

    serverRun = 'third';
    const held = new NamedLock(world.stores.orm, 'compensation-test');
    expect(await held.tryTake()).toBe(true);
    expect(await job.tick(), 'another worker is at it').toBe(false);
    await held.release();
    expect([await job.tick(), runs]).toEqual([true, 3]);
  });
});
