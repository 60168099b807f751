import { afterEach, describe, expect, it, vi } from 'vitest';
import { Order } from '../../src/orders/orders/order.entity.js';
import { systemClock } from '../../src/platform/clock.js';
import { StoreUnavailableError } from '../../src/platform/errors.js';
import { OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import { ClaimAborter } from '../../src/redemption/commit/claim-aborter.js';
import type { Claim } from '../../src/redemption/claim/claim.js';
import { OpenClaimsRedis } from '../../src/redemption/claim/open-claims.redis.js';
import { factsAfter, factsOf, openClaims } from '../support/facts.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { openClaim, reopen } from '../support/open-claim.js';
import { startSupervisedRedis } from '../support/supervised-redis.js';
import { expectAtRest } from '../support/truth.js';
import {
  emOf,
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUser,
  seedUsers,
  type World,
} from '../support/world.js';

const HOUR_MS = 3_600_000;
const NOTHING = { tombstoned: 0, confirmed: 0, released: 0, dropped: 0 };

let world: World;
/** Plays a second process on the same stores. */
let other: World;
openBeforeAll(async (closing) => {
  // A private Redis, because these tests sweep all tenants.
  const redis = await closing(startSupervisedRedis());
  world = await closing(openWorld({}, { redisUrl: redis.url }));
  other = await closing(openWorld({}, { redisUrl: redis.url }));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await world.stores.redis.flushall();
});

async function claimSome(count: number, rule: Record<string, unknown> = {}) {
  const tenant = await seedTenant(world);
  const { codes } = await seedCampaign(world, tenant, count, { rule });
  const users = await seedUsers(world, tenant.tenantId, count);
  const claims: Claim[] = [];
  for (const [i, code] of codes.entries()) claims.push(await openClaim(world, tenant, code, users[i] ?? ''));
  return { tenantId: tenant.tenantId, codes, users, claims };
}

async function claimOne() {
  const { tenantId, codes, users, claims } = await claimSome(1);
  const [code = ''] = codes;
  const [userId = ''] = users;
  const [claim] = claims;
  if (claim === undefined) throw new Error('No claim was made.');
  return { tenantId, code, userId, claim };
}

/** Lets the deadline of a claim have passed long ago. */
async function makeLate(claims: readonly Claim[]): Promise<void> {
  for (const claim of claims) await reopen(world, claim);
}

describe('a claim past its deadline', () => {
  it('S0.10 is given up, and its use is there for others', async () => {
    const { tenantId, code, claim } = await claimOne();
    const another = await seedUser(world, tenantId);
    expect(outcomeOf(await redeem(other, tenantId, another, code))).toBe('CODE_HELD');
    await makeLate([claim]);
    expect(await other.services.sweeper.sweep(tenantId)).toEqual({ ...NOTHING, tombstoned: 1 });
    expect(outcomeOf(await redeem(other, tenantId, another, code))).toBe('COMMITTED');
    expect(await world.services.groupCommit.settle(claim)).toEqual({ kind: 'ABORTED' });
    expect(await factsOf(world, tenantId)).toEqual({ ...factsAfter(1), tombstones: 1 });
  });

  it('S0.9 is confirmed where it is committed, also when the outbox was published long ago', async () => {
    const { tenantId, code, userId, claim } = await claimOne();
    const answer = await redeem(world, tenantId, userId, code);
    expect(answer).toMatchObject({ status: 'COMMITTED', redemption: { id: claim.redemptionId } });
    await makeLate([claim]);
    expect(await other.services.sweeper.sweep(tenantId)).toEqual({ ...NOTHING, confirmed: 1 });
    await expectAtRest(world, tenantId);
    expect(await factsOf(world, tenantId)).toEqual(factsAfter(1));
  });

  it('is released where a sweeper died behind the tombstone', async () => {
    const { tenantId, code, userId, claim } = await claimOne();
    await makeLate([claim]);
    await other.services.aborter.abort(tenantId, [{ claim, reason: 'DEADLINE_PASSED' }]);
    expect(await openClaims(world, tenantId)).toBe(1);
    expect(await world.services.sweeper.sweep(tenantId)).toEqual({ ...NOTHING, released: 1 });
    expect(outcomeOf(await redeem(world, tenantId, userId, code))).toBe('COMMITTED');
    expect(await factsOf(world, tenantId)).toEqual({ ...factsAfter(1), tombstones: 1 });
  });

  it('S0.11 leaves a failed order and an event where it was deferred', async () => {
    const { tenantId, claim } = await claimOne();
    const claimedAtMs = claim.claimedAtMs - 3 * HOUR_MS;
    await reopen(world, { ...claim, claimedAtMs, isDeferred: true }, claimedAtMs + 2 * HOUR_MS);
    expect(await world.services.sweeper.sweep(tenantId)).toEqual({ ...NOTHING, tombstoned: 1 });
    const em = emOf(world, tenantId);
    const { redemptionId: id, userId } = claim;
    expect(await em.find(Order, {})).toMatchObject([{ id, userId, status: 'FAILED' }]);
    const payload = { redemptionId: id, orderNo: id, status: 'REFUSED', refusal: null };
    expect(await em.find(OutboxEvent, { type: 'redemption_settled' })).toMatchObject([{ userId, payload }]);
    await expectAtRest(world, tenantId);
  });

  it.each([-1, 1])(
    'is judged by the clock of Redis, whatever the worker’s own says (%i h)',
    async (hours) => {
      const { tenantId, claims } = await claimSome(2);
      await makeLate(claims.slice(0, 1));
      const nowMs = systemClock.nowMs();
      vi.spyOn(systemClock, 'nowMs').mockReturnValue(nowMs + hours * HOUR_MS);
      expect(await world.services.sweeper.sweep(tenantId)).toEqual({ ...NOTHING, tombstoned: 1 });
      expect(await openClaims(world, tenantId)).toBe(1);
    },
  );

  it('that is deferred while it is read stays with its job', async () => {
    const { tenantId, claim } = await claimOne();
    // The entry was read before the deferral, the claim after it.
    await reopen(world, { ...claim, isDeferred: true }, claim.claimedAtMs + 2 * HOUR_MS);
    await world.stores.redis.zadd(`{${tenantId}}:open`, 1, `${claim.redemptionId}|${claim.digest}`);
    expect(await world.services.sweeper.sweep(tenantId)).toEqual(NOTHING);
    expect((await factsOf(world, tenantId)).tombstones).toBe(0);
  });
});

describe('many sweepers and commits of the same claims', () => {
  it('settle each claim one way, and Redis and the rows agree', async () => {
    const { tenantId, claims } = await claimSome(150);
    await makeLate(claims);
    const half = claims.filter((_, index) => index % 2 === 0);
    const [settled] = await Promise.all([
      Promise.all(half.map(async (claim) => world.services.groupCommit.settle(claim))),
      world.services.sweeper.sweep(tenantId),
      other.services.sweeper.sweep(tenantId),
      other.services.sweeper.sweepAll(),
    ]);
    const committed = settled.filter(({ kind }) => kind === 'COMMITTED' || kind === 'SETTLED').length;
    const facts = await factsOf(world, tenantId);
    expect(facts).toEqual({ ...factsAfter(committed), tombstones: claims.length - committed });
    await world.services.sweeper.sweep(tenantId);
    await expectAtRest(world, tenantId);
  }, 120_000);
});

describe('the list of open claims', () => {
  it('loses entries whose claims are gone, and no others', async () => {
    const { tenantId, claims } = await claimSome(2);
    const [gone, there] = claims;
    const { redis: commands } = world.stores;
    for (const claim of claims)
      await commands.zadd(`{${tenantId}}:open`, 1, `${claim.redemptionId}|${claim.digest}`);
    await commands.del(`{${tenantId}}:claims:${gone?.digest}`);
    expect(await world.services.sweeper.sweep(tenantId)).toEqual({ ...NOTHING, dropped: 1 });
    expect(await commands.zrange(`{${tenantId}}:open`, '0', '-1')).toEqual([
      `${there?.redemptionId}|${there?.digest}`,
    ]);
  });

  it('keeps the entry of a claim that has come since the look', async () => {
    const { tenantId, claim } = await claimOne();
    const { redemptionId, digest } = claim;
    const open = new OpenClaimsRedis(world.stores.redis);
    expect(await open.dropGone(tenantId, [{ redemptionId, digest, deadlineMs: 1 }])).toBe(0);
    expect(await openClaims(world, tenantId)).toBe(1);
  });

  it('gets claims back that it has lost', async () => {
    const { tenantId, claims } = await claimSome(3);
    await makeLate(claims);
    await world.stores.redis.del(`{${tenantId}}:open`);
    expect(await world.services.sweeper.sweep(tenantId)).toEqual(NOTHING);
    await vi.waitFor(async () => {
      await world.services.sweeper.sweepAll();
      expect((await factsOf(world, tenantId)).tombstones).toBe(3);
    }, 60_000);
    await expectAtRest(world, tenantId);
  });
});

describe('a sweep of all tenants', () => {
  it('counts what it found and what it did', async () => {
    const one = await claimSome(3);
    const two = await claimSome(2);
    await claimSome(1);
    await makeLate([...one.claims, ...two.claims]);
    const before = await sweptCount();
    expect(await world.services.sweeper.sweepAll()).toMatchObject({ tombstoned: 5 });
    const { metrics } = world.services;
    expect((await metrics.claimsOverdue.get()).values).toMatchObject([{ value: 5 }]);
    expect((await sweptCount()) - before).toBe(5);
    await world.services.sweeper.sweepAll();
    expect((await metrics.claimsOverdue.get()).values).toMatchObject([{ value: 0 }]);
  });

  it('settles the claims of all tenants but the one whose keys in Redis are broken', async () => {
    const broken = await claimSome(1);
    const { tenantId, claims } = await claimSome(3);
    await makeLate(claims);
    await world.stores.redis.set(`{${broken.tenantId}}:open`, 'no list');
    await world.stores.redis.set(`{${broken.tenantId}}:claims:x`, 'no claims');
    // The walk over all keys resumes where it stopped, and reaches the broken ones in one of these sweeps.
    for (let sweep = 0; sweep < 3; sweep += 1) await world.services.sweeper.sweepAll();
    expect(await openClaims(world, tenantId)).toBe(0);
    expect((await factsOf(world, tenantId)).tombstones).toBe(3);
  });

  it('is not delayed by claims that cannot be read', async () => {
    const { tenantId, claims } = await claimSome(2);
    await makeLate(claims);
    const key = `{${tenantId}}:claims:${claims[0]?.digest}`;
    const { redis: commands } = world.stores;
    for (let bad = 1; bad <= 300; bad += 1) {
      await commands.hset(key, String(bad), 'not readable as a claim');
      await commands.zadd(`{${tenantId}}:open`, 0, `${bad}|${claims[0]?.digest}`);
    }
    expect(await world.services.sweeper.sweep(tenantId)).toEqual({ ...NOTHING, tombstoned: 2 });
  });

  it('settles the other claims when the row of one is locked', async () => {
    const { tenantId, claims } = await claimSome(5);
    await makeLate(claims);
    const locked = claims[2];
    const em = emOf(world, tenantId);
    await em.transactional(async (inner) => {
      await inner.execute(
        `insert into redemption (tenant_id, id, status, code_id, campaign_id, batch_id, user_id, product_code,
           claimed_at, settled_at) values (?, ?, 'ABORTED', 1, 1, 1, 1, 'DEMO', utc_timestamp(), utc_timestamp())`,
        [tenantId, locked?.redemptionId],
      );
      expect(await world.services.sweeper.sweep(tenantId)).toEqual({ ...NOTHING, tombstoned: 4 });
    });
    expect(await world.services.sweeper.sweep(tenantId)).toEqual({ ...NOTHING, released: 1 });
    await expectAtRest(world, tenantId);
  });

  it('is mostly of a worker’s own tenants, and every tenth time of all', async () => {
    const { tenantId, claims } = await claimSome(1);
    await makeLate(claims);
    const looks = vi.spyOn(OpenClaimsRedis.prototype, 'tenantsOverdue');
    for (let sweep = 0; sweep < 10; sweep += 1)
      await world.services.sweeper.sweepAll(undefined, (each) => each !== tenantId);
    expect(looks.mock.calls.filter(([tenantIds]) => tenantIds.includes(tenantId))).toHaveLength(1);
    await expectAtRest(world, tenantId);
  });

  it('is left while a store is away, and done the next time', async () => {
    const { tenantId, claims } = await claimSome(2);
    await makeLate(claims);
    const away = new StoreUnavailableError('database');
    vi.spyOn(ClaimAborter.prototype, 'abort').mockRejectedValueOnce(away);
    await expect(world.services.sweeper.sweepAll()).rejects.toBe(away);
    expect((await factsOf(world, tenantId)).tombstones).toBe(0);
    await world.services.sweeper.sweepAll();
    expect((await factsOf(world, tenantId)).tombstones).toBe(2);
    await expectAtRest(world, tenantId);
  });
});

async function sweptCount(): Promise<number> {
  const { values } = await world.services.metrics.claimsSwept.get();
  return values.reduce((sum, { value }) => sum + value, 0);
}
