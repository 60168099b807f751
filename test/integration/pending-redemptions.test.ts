import { describe, expect, it, vi } from 'vitest';
import { Code } from '../../src/codes/code.entity.js';
import { Order } from '../../src/orders/orders/order.entity.js';
import { systemClock } from '../../src/platform/clock.js';
import { readStoredClaim } from '../../src/redemption/claim/claim.js';
import { keyDigest } from '../../src/platform/key-digest.js';
import { Redemption } from '../../src/redemption/history/redemption.entity.js';
import { factsAfter, factsOf, openClaims } from '../support/facts.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { forget } from '../support/open-claim.js';
import {
  eventually,
  deferRedemption,
  IMPATIENT,
  jobsOf,
  loseJobs,
  orderStatus,
  seedCode,
  settledEvents,
} from '../support/deferred.js';
import { turn, withLagOf } from '../support/lag.js';
import { holdCode } from '../support/row-lock.js';
import { startSupervisedRedis, type SupervisedRedis } from '../support/supervised-redis.js';
import { emOf, openWorld, outcomeOf, redeem, seedUser, seedUsers, type World } from '../support/world.js';

let redis: SupervisedRedis;
/** Answers callers, and defers soon. */
let world: World;
/** Answers callers when their redemptions are committed. */
let patient: World;
/** Plays the worker; each test starts its jobs when it needs them. */
let worker: World;
openBeforeAll(async (closing) => {
  // A private Redis: other files' workers would take the jobs.
  redis = await closing(startSupervisedRedis());
  world = await closing(openWorld({ ...IMPATIENT, STORE_TIMEOUT_MS: '500' }, { redisUrl: redis.url }));
  patient = await closing(openWorld({}, { redisUrl: redis.url }));
});

async function withWorker(
  work: () => Promise<void>,
  environment: Record<string, string> = {},
): Promise<void> {
  worker = await openWorld({ ...IMPATIENT, ...environment }, { redisUrl: redis.url });
  worker.services.pendingJobs.start();
  try {
    await work();
  } finally {
    await worker.services.pendingJobs.stop();
    await worker.close();
  }
}

/** Delivers again what found no time to commit, as the queue does. */
async function deliver(
  jobs: World['services']['pendingJobs'] | undefined,
  pending: Parameters<World['services']['pendingJobs']['work']>[0],
): Promise<void> {
  let isSettled = false;
  while (!isSettled) {
    isSettled = await (jobs?.work(pending, false) ?? Promise.resolve()).then(
      () => true,
      (error: unknown) => {
        if (error instanceof Error && error.name === 'JobFailedError') return false;
        throw error;
      },
    );
  }
}

describe('a slow database', () => {
  it('S0.10 is answered PROCESSING with an order number that is PENDING, then FINISHED', async () => {
    const { tenantId, code, codeId, userId } = await seedCode(world);
    const other = await seedUser(world, tenantId);
    const release = await holdCode(world, tenantId, codeId);
    const startedMs = performance.now();
    const ask = async () => redeem(world, tenantId, userId, code, { idempotencyKey: 'k' });
    const { result: answer, lagMs } = await withLagOf([turn], ask);
    expect(performance.now() - startedMs).toBeLessThan(1500 + 2 * lagMs);
    expect(answer).toMatchObject({ status: 'PROCESSING', redemption: null, refusal: null });
    const orderNo = answer.orderNo ?? '';
    expect(await orderStatus(world, tenantId, orderNo, userId)).toBe('PENDING');
    expect(await orderStatus(world, tenantId, orderNo, null)).toBe('PENDING');
    expect(await orderStatus(world, tenantId, orderNo, other)).toBeNull();
    const [, deadlineMs] = await world.stores.redis.zrange(`{${tenantId}}:open`, 0, '-1', 'WITHSCORES');
    expect(Number(deadlineMs) - systemClock.nowMs()).toBeGreaterThan(2 * 3_600_000 - 60_000);

    await release();
    await eventually(async () =>
      expect(await orderStatus(world, tenantId, orderNo, userId)).toBe('FINISHED'),
    );
    await withWorker(async () => {
      await eventually(async () =>
        expect(await worker.services.pendingRedemptions.find(tenantId, orderNo)).toBeNull(),
      );
    });
    expect(await factsOf(world, tenantId)).toEqual(factsAfter(1));
    expect(await settledEvents(world, tenantId)).toMatchObject([
      { status: 'COMMITTED', orderNo, refusal: null, winnerId: null },
    ]);
    expect(await openClaims(world, tenantId)).toBe(0);
  });

  it.each([
    { name: 'a retry', key: { idempotencyKey: 'k' } },
    { name: 'a second click', key: {} },
  ])('gives $name the same number, and makes no second job', async ({ key }) => {
    const { tenantId, code, codeId, userId } = await seedCode(world, 5);
    const release = await holdCode(world, tenantId, codeId);
    const first = await redeem(world, tenantId, userId, code, key);
    const jobs = await jobsOf(world, tenantId);
    const again = await Promise.all([
      redeem(world, tenantId, userId, code, key),
      redeem(world, tenantId, userId, code, key),
    ]);
    for (const answer of again) expect(answer).toEqual(first);
    expect(await jobsOf(world, tenantId)).toEqual(jobs);
    expect(await openClaims(world, tenantId)).toBe(1);
    await release();
    await eventually(async () =>
      expect(await orderStatus(world, tenantId, first.orderNo ?? '', userId)).toBe('FINISHED'),
    );
    expect(await factsOf(world, tenantId)).toEqual(factsAfter(1));
  });

  it('S0.10 still fails the order, with its event, when Redis has lost claim and job, and the database refuses', async () => {
    const { tenantId, code, codeId, userId } = await seedCode(world);
    const { campaignId } = await emOf(world, tenantId).findOneOrFail(Code, { id: codeId });
    const release = await holdCode(world, tenantId, codeId);
    const { status, orderNo } = await redeem(world, tenantId, userId, code);
    expect(status).toBe('PROCESSING');
    await world.services.campaignChanges.step(tenantId, campaignId, 'pause');
    await forget(world, tenantId);
    await loseJobs(world, tenantId);
    await release();
    await eventually(async () =>
      expect(await orderStatus(world, tenantId, orderNo ?? '', userId)).toBe('FAILED'),
    );
    expect(await settledEvents(world, tenantId)).toMatchObject([
      { status: 'REFUSED', orderNo, refusal: 'CAMPAIGN_NOT_ACTIVE' },
    ]);
    const facts = await factsOf(world, tenantId);
    expect(facts).toMatchObject({ committed: 0, tombstones: 1, orders: 1, used: 0 });
  });

  it('S0.10 is answered SERVICE_UNAVAILABLE when Redis cannot take the job, and the retry settles the claim', async () => {
    const { tenantId, code, codeId, userId } = await seedCode(world);
    const release = await holdCode(world, tenantId, codeId);
    const answering = redeem(world, tenantId, userId, code, { idempotencyKey: 'k' });
    await eventually(async () => expect(await openClaims(world, tenantId)).toBe(1));
    redis.kill('SIGSTOP');
    try {
      expect(outcomeOf(await answering)).toBe('SERVICE_UNAVAILABLE');
    } finally {
      redis.kill('SIGCONT');
    }
    await release();
    await eventually(async () => {
      const retry = await redeem(world, tenantId, userId, code, { idempotencyKey: 'k' });
      expect(outcomeOf(retry)).toBe('COMMITTED');
    });
    expect(await factsOf(world, tenantId)).toEqual(factsAfter(1));
  });
});

describe('the job of a deferred redemption', () => {
  it('S0.10 settles it when the process that claimed it has died', async () => {
    const seeded = await seedCode(world);
    const { redemptionId } = await deferRedemption(world, seeded);
    await withWorker(async () => {
      await eventually(async () =>
        expect(await orderStatus(world, seeded.tenantId, redemptionId, seeded.userId)).toBe('FINISHED'),
      );
    });
    expect(await factsOf(world, seeded.tenantId)).toEqual(factsAfter(1));
    expect(await openClaims(world, seeded.tenantId)).toBe(0);
  });

  it('S0.19 settles it from its payload when Redis has lost the claim', async () => {
    const seeded = await seedCode(world);
    const { redemptionId } = await deferRedemption(world, seeded, 'k');
    await forget(world, seeded.tenantId);
    expect(await orderStatus(world, seeded.tenantId, redemptionId, seeded.userId)).toBe('PENDING');
    await withWorker(async () => {
      await eventually(async () =>
        expect(await orderStatus(world, seeded.tenantId, redemptionId, seeded.userId)).toBe('FINISHED'),
      );
    });
    expect(await factsOf(world, seeded.tenantId)).toEqual(factsAfter(1));
    const retry = await redeem(patient, seeded.tenantId, seeded.userId, seeded.code, { idempotencyKey: 'k' });
    expect(retry).toMatchObject({ status: 'COMMITTED', redemption: { id: redemptionId } });
  });

  it('S0.19 answers a retry when Redis has lost the claim and kept the key', async () => {
    const seeded = await seedCode(world);
    const { redemptionId, digest } = await deferRedemption(world, seeded, 'k');
    await world.stores.redis.del(`{${seeded.tenantId}}:claims:${digest}`);
    const retry = await redeem(patient, seeded.tenantId, seeded.userId, seeded.code, { idempotencyKey: 'k' });
    expect(retry).toMatchObject({ status: 'COMMITTED', redemption: { id: redemptionId } });
    expect(await factsOf(world, seeded.tenantId)).toEqual(factsAfter(1));
  });

  it('S0.19 keeps the snapshot for two hours: in claim, lock, key, and the payload of the job', async () => {
    const seeded = await seedCode(world);
    const { tenantId, userId } = seeded;
    const { redemptionId, digest, claimedAtMs } = await deferRedemption(world, seeded, 'k');
    // A literal, so that a shorter deadline in the code fails here.
    const twoHoursMs = 2 * 3_600_000;
    const { redis: store } = world.stores;
    const key = (name: string): string => `{${tenantId}}:${name}`;
    const stored = (await store.hget(key(`claims:${digest}`), redemptionId)) ?? '';
    const open = readStoredClaim(redemptionId, stored);
    expect(open.deferred).toBe(true);
    expect(open.deadlineMs - claimedAtMs).toBeGreaterThanOrEqual(twoHoursMs);
    const deadline = await store.zscore(key('open'), `${redemptionId}|${digest}`);
    expect(Number(deadline) - claimedAtMs).toBeGreaterThanOrEqual(twoHoursMs);
    // They expire; the rest is the time that the test has taken so far.
    const soon = twoHoursMs - 30_000;
    expect(await store.pttl(key(`redemption_lock:${userId}:${digest}`))).toBeGreaterThan(soon);
    expect(await store.pttl(key(`key:${userId}:${keyDigest(tenantId, userId, 'k')}`))).toBeGreaterThan(soon);
    for (const lasting of [key(`claims:${digest}`), key('open')]) expect(await store.pttl(lasting)).toBe(-1);
    const [job = '', ...others] = await jobsOf(world, tenantId);
    expect(others).toEqual([]);
    expect(await store.pttl(job)).toBe(-1);
    const payload = JSON.parse((await store.hget(job, 'data')) ?? '{}') as { claim?: string };
    const deferred = readStoredClaim(redemptionId, payload.claim ?? '');
    expect(deferred.deadlineMs - claimedAtMs).toBeGreaterThanOrEqual(twoHoursMs);
    expect(deferred).toEqual({ ...open, deadlineMs: deferred.deadlineMs });
  });

  it('S0.8 has one effect when it is delivered five times', async () => {
    const seeded = await seedCode(world);
    const { tenantId } = seeded;
    const claim = await deferRedemption(world, seeded);
    const { redemptionId, digest } = claim;
    const stored = await world.stores.redis.hget(`{${tenantId}}:claims:${digest}`, redemptionId);
    const pending = { tenantId, redemptionId, digest, claim: stored ?? '' };
    await withWorker(async () => {
      const jobs = [world, worker].map(({ services }) => services.pendingJobs);
      await Promise.all([0, 1, 0, 1].map(async (at) => deliver(jobs[at], pending)));
      await deliver(jobs[0], pending);
      await eventually(async () =>
        expect(await world.services.pendingRedemptions.find(tenantId, claim.redemptionId)).toBeNull(),
      );
    });
    expect(await factsOf(world, tenantId)).toEqual(factsAfter(1));
    expect(await settledEvents(world, tenantId)).toHaveLength(1);
  });

  it('S0.11 S4.10 gives the use back and fails the order when its tries are used up', async () => {
    const seeded = await seedCode(world);
    const { tenantId, userId, code } = seeded;
    const { redemptionId } = await deferRedemption(world, seeded, 'k');
    const attempts = vi.fn<() => Promise<never>>(async () => {
      throw new Error('The reward of the test cannot be given.');
    });
    await withWorker(async () => {
      const handler = worker.services.handlers.get('SUBSCRIPTION');
      if (handler !== undefined) handler.begin = attempts;
      await eventually(async () =>
        expect(await orderStatus(world, tenantId, redemptionId, userId)).toBe('FAILED'),
      );
      await eventually(async () => expect(await openClaims(world, tenantId)).toBe(0));
    });
    expect(attempts).toHaveBeenCalledTimes(3);
    const em = emOf(world, tenantId);
    expect(await em.find(Redemption, {})).toMatchObject([
      { status: 'ABORTED', abortReason: 'RETRIES_EXHAUSTED' },
    ]);
    expect(await em.find(Order, {})).toMatchObject([
      { id: redemptionId, status: 'FAILED', type: 'REDEMPTION' },
    ]);
    expect(await settledEvents(world, tenantId)).toMatchObject([
      { redemptionId, status: 'REFUSED', orderNo: redemptionId, useNo: null, refusal: null, winnerId: null },
    ]);
    const again = await redeem(patient, tenantId, userId, code, { idempotencyKey: 'k' });
    expect(again.status).toBe('COMMITTED');
    expect(again.redemption?.id).not.toBe(redemptionId);
    expect(await em.count(Order, { status: 'FAILED' })).toBe(1);
  });

  it('fails the order and names the winner when another id has won its key', async () => {
    const seeded = await seedCode(world, 2);
    const { tenantId, userId, code } = seeded;
    const { redemptionId } = await deferRedemption(world, seeded, 'k');
    await forget(world, tenantId);
    const winner = await redeem(patient, tenantId, userId, code, { idempotencyKey: 'k' });
    expect(winner.status).toBe('COMMITTED');
    await withWorker(async () => {
      await eventually(async () =>
        expect(await orderStatus(world, tenantId, redemptionId, userId)).toBe('FAILED'),
      );
    });
    const events = await settledEvents(world, tenantId);
    expect(events.find((event) => event['redemptionId'] === redemptionId)).toMatchObject({
      status: 'REFUSED',
      winnerId: winner.redemption?.id,
    });
    expect(await factsOf(world, tenantId)).toEqual({ ...factsAfter(1), tombstones: 1, orders: 2, events: 2 });
  });

  it('fails the order and says why when the database refuses it', async () => {
    const seeded = await seedCode(world);
    const { tenantId, userId, code } = seeded;
    const { redemptionId } = await deferRedemption(world, seeded);
    await forget(world, tenantId);
    const [faster = ''] = await seedUsers(world, tenantId, 1);
    expect(outcomeOf(await redeem(patient, tenantId, faster, code))).toBe('COMMITTED');
    await withWorker(async () => {
      await eventually(async () =>
        expect(await orderStatus(world, tenantId, redemptionId, userId)).toBe('FAILED'),
      );
    });
    const events = await settledEvents(world, tenantId);
    expect(events.find((event) => event['redemptionId'] === redemptionId)).toMatchObject({
      status: 'REFUSED',
      refusal: 'CODE_EXHAUSTED',
      winnerId: null,
    });
  });
});
