import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { claimText } from '../../src/redemption/claim/claim.js';
import { systemClock } from '../../src/platform/clock.js';
import { createLog } from '../../src/platform/observability/log.js';
import { ExclusiveWork } from '../../src/platform/leases/exclusive-work.js';
import { connectRedis } from '../../src/platform/redis/redis.js';
import { CompensationJob } from '../../src/reconciliation/compensation.jobs.js';
import { ReconciliationRedis } from '../../src/reconciliation/reconciliation.redis.js';
import { factsOf, openClaims } from '../support/facts.js';
import { openClaim } from '../support/open-claim.js';
import { driftsOf, makeScene, reconcilerOf, type Scene } from '../support/reconciliation.js';
import { openWorld, outcomeOf, redeem, seedUser, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

const NOTHING = { swept: 0, mended: {}, left: {}, failed: [] };
const compensate = async ({ tenantId }: Scene) => reconcilerOf(world).compensation.run(tenantId);

/** A claim whose process has died; `end` is how far it had come. */
async function unsettledClaim(scene: Scene, end: 'claimed' | 'committed' | 'tombstoned'): Promise<void> {
  const { tenantId, idleText } = scene;
  const { redis } = world.stores;
  const claim = await openClaim(world, scene, idleText, await seedUser(world, tenantId));
  const key = scene.key(`claims:${claim.digest}`);
  if (end === 'committed') await world.services.groupCommit.settle(claim);
  if (end === 'tombstoned')
    await world.services.aborts.abort(tenantId, [{ claim, reason: 'DEADLINE_PASSED' }]);
  const deadlineMs = systemClock.nowMs() + (end === 'claimed' ? -1 : 15_000);
  await redis.hset(key, claim.redemptionId, claimText(claim, deadlineMs));
  await redis.zadd(scene.key('open'), deadlineMs, `${claim.redemptionId}|${claim.digest}`);
}

describe('S4.15 compensation', () => {
  it('gives a claim up that was admitted in Redis and never settled, in the database and in Redis', async () => {
    const scene = await makeScene(world);
    await unsettledClaim(scene, 'claimed');
    const before = await factsOf(world, scene.tenantId);
    expect(await compensate(scene)).toEqual({ ...NOTHING, swept: 1 });
    expect(await openClaims(world, scene.tenantId)).toBe(0);
    expect(await factsOf(world, scene.tenantId)).toEqual({ ...before, tombstones: before.tombstones + 1 });
    expect(await compensate(scene)).toEqual(NOTHING);
  });

  it('confirms in Redis what the database has committed, and gives back what it has given up', async () => {
    const scene = await makeScene(world);
    await unsettledClaim(scene, 'tombstoned');
    await unsettledClaim(scene, 'committed');
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

  it('continues with the other tenants when the keys of one cannot be read, and names that one', async () => {
    // A Redis in Redis, so that all tenants means these.
    const own = await openWorld({}, { redisUrl: inject('redisUrl').replace(/\/\d*$/, '/12') });
    try {
      await own.stores.redis.flushdb();
      const scenes = [await makeScene(own), await makeScene(own), await makeScene(own)];
      const { redis } = own.stores;
      for (const { codes, key } of scenes) await redis.hset(key(`code:${codes[0].codeDigest}`), 'used', 7);
      const broken = scenes[0]?.tenantId ?? '';
      await redis.set(`{${broken}}:claims:${'x'.repeat(43)}`, 'not a hash');
      const { compensation } = reconcilerOf(own);
      const first = await compensation.run(null);
      expect(first).toMatchObject({ left: {}, failed: [broken] });
      for (const { tenantId, codes } of scenes.slice(1))
        expect(await redis.hget(`{${tenantId}}:code:${codes[0].codeDigest}`, 'used')).not.toBe('7');
      await redis.del(`{${broken}}:claims:${'x'.repeat(43)}`);
      expect((await compensation.run(null)).failed).toEqual([]);
      expect(await compensation.run(null)).toEqual(NOTHING);
      await redis.flushdb();
    } finally {
      await own.close();
    }
  });

  it('leaves claims alone that are under way, and finds nothing to do', async () => {
    const scene = await makeScene(world);
    await openClaim(world, scene, scene.idleText, scene.users[1]);
    expect(await compensate(scene)).toEqual(NOTHING);
    expect(await openClaims(world, scene.tenantId)).toBe(1);
  });
});

describe('S4.15 automatic compensation', () => {
  const EVERY_MS = 5000;

  it('runs at the start, each hour, and at once when Redis was restarted or emptied, in one of all workers', async () => {
    // A Redis in Redis: what the workers of other tests keep there is for all tenants, too.
    const own = connectRedis(inject('redisUrl').replace(/\/\d*$/, '/13'), 5000);
    await own.del('compensated');
    let [serverRun, runs] = ['first', 0];
    const workerOf = (everyMs: number) =>
      new CompensationJob({
        compensation: {
          run: async () => {
            runs += 1;
            await pause(50);
            return NOTHING;
          },
        },
        redis: Object.assign(new ReconciliationRedis(own), { serverRun: async () => serverRun }),
        lease: new ExclusiveWork(world.stores.orm, 'compensation-test'),
        log: createLog({ level: 'silent' }),
        everyMs,
      });
    const ticks = async (everyMs = 3_600_000) => {
      const done = await Promise.all([1, 2, 3].map(async () => workerOf(everyMs).tick()));
      return done.filter((isDone) => isDone).length;
    };
    expect([await ticks(), await ticks(), runs]).toEqual([1, 0, 1]);
    serverRun = 'second';
    expect([await ticks(EVERY_MS), await ticks(), runs]).toEqual([1, 0, 2]);
    await pause(EVERY_MS + 100);
    expect([await ticks(), await ticks(), runs]).toEqual([1, 0, 3]);
    await own.del('compensated');
    expect([await ticks(), await ticks(), runs]).toEqual([1, 0, 4]);

    const stopping = new AbortController();
    stopping.abort();
    serverRun = 'third';
    await workerOf(EVERY_MS).tick(stopping.signal);
    expect(await ticks(), 'what was cut short is not done').toBe(1);
    await own.del('compensated');
    own.disconnect();
  });
});
