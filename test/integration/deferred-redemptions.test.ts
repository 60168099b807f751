import { afterEach, describe, expect, inject, it, vi } from 'vitest';
import { DEFERRED_DEADLINE_MS } from '../../src/config.js';
import { copyOf } from '../../src/codes/code-copy.service.js';
import { Code } from '../../src/codes/code.entity.js';
import { OrderService } from '../../src/orders/orders/order.service.js';
import { CommitWrites } from '../../src/redemption/commit/commit-writes.js';
import { jobIdOf } from '../../src/redemption/deferred/pending-redemptions.js';
import { Redemption } from '../../src/redemption/history/redemption.entity.js';
import { factsAfter, factsOf, openClaims } from '../support/facts.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { forget } from '../support/open-claim.js';
import {
  eventually,
  deferRedemption,
  IMPATIENT,
  loseJobs,
  orderStatus,
  seedCode,
  settledEvents,
  type SeededCode,
} from '../support/deferred.js';
import { holdCode } from '../support/row-lock.js';
import { startSupervisedRedis, type SupervisedRedis } from '../support/supervised-redis.js';
import { TcpForwarder } from '../support/tcp-forwarder.js';
import { emOf, openWorld, outcomeOf, redeem, type World } from '../support/world.js';

/** Four waits for a lock, and room for a busy machine. */
const GIVEN_UP_MS = 40_000;

let redis: SupervisedRedis;
/** Defers redemptions. */
let world: World;
/** A second process, which adopts the claims of the first. */
let other: World;
openBeforeAll(async (closing) => {
  // A private Redis: other files' workers would take the jobs.
  redis = await closing(startSupervisedRedis());
  world = await closing(openWorld(IMPATIENT, { redisUrl: redis.url }));
  other = await closing(openWorld({}, { redisUrl: redis.url }));
});
afterEach(() => vi.restoreAllMocks());

async function withWorker(work: (worker: World) => Promise<void>, databaseUrl?: string): Promise<void> {
  const urls = databaseUrl === undefined ? {} : { databaseUrl };
  const worker = await openWorld(IMPATIENT, { redisUrl: redis.url, ...urls });
  worker.services.pendingJobs.start();
  try {
    await work(worker);
  } finally {
    await worker.services.pendingJobs.stop();
    await worker.close();
  }
}

async function expectFailed({ tenantId, userId }: SeededCode, orderNo: string, event: object): Promise<void> {
  await eventually(async () => expect(await orderStatus(world, tenantId, orderNo, userId)).toBe('FAILED'));
  const events = await settledEvents(world, tenantId);
  expect(events.filter(({ redemptionId }) => redemptionId === orderNo)).toMatchObject([
    { status: 'REFUSED', orderNo, ...event },
  ]);
  await eventually(async () => expect(await openClaims(world, tenantId)).toBe(0));
}

describe('a deferred redemption whose process has died and whose job is lost', () => {
  it('S0.10 is ended by the process that adopts the claim and is refused', async () => {
    const seeded = await seedCode(world);
    const { tenantId, userId, code, codeId } = seeded;
    const { redemptionId } = await deferRedemption(world, seeded, 'k');
    await loseJobs(world, tenantId);
    await world.services.codeChanges.setEnabled(tenantId, codeId, false);
    const retry = await redeem(other, tenantId, userId, code, { idempotencyKey: 'k' });
    expect(outcomeOf(retry)).toBe('CODE_INACTIVE');
    await expectFailed(seeded, redemptionId, { refusal: 'CODE_INACTIVE', winnerId: null });
    expect(await factsOf(world, tenantId)).toMatchObject({ committed: 0, tombstones: 1, orders: 1, used: 0 });
  });

  it('S0.10 is ended by the process whose commit was under way when another one deferred it', async () => {
    const seeded = await seedCode(world, 2);
    const { tenantId, userId, code } = seeded;
    const claim = await deferRedemption(world, seeded, 'k');
    await loseJobs(world, tenantId);
    const lost = [`key:${userId}:${claim.idempotencyKey ?? ''}`, `redemption_lock:${userId}:${claim.digest}`];
    await world.stores.redis.del(lost.map((key) => `{${tenantId}}:${key}`));
    const winner = await redeem(other, tenantId, userId, code, { idempotencyKey: 'k' });
    expect(winner.status).toBe('COMMITTED');
    // That process does not know of the deferral.
    expect(claim.isDeferred).toBe(false);
    expect((await other.services.groupCommit.settle(claim)).kind).toBe('REPLAYED');
    await expectFailed(seeded, claim.redemptionId, { winnerId: winner.redemption?.id });
    const retry = await redeem(other, tenantId, userId, code, { idempotencyKey: 'k' });
    expect(retry).toEqual(winner);
  });

  it('S0.10 fails its order in the transaction of its tombstone, or stays open', async () => {
    const seeded = await seedCode(world);
    const { tenantId, userId, codeId } = seeded;
    const claim = await deferRedemption(world, seeded);
    await loseJobs(world, tenantId);
    await world.services.codeChanges.setEnabled(tenantId, codeId, false);
    const orders = vi.spyOn(OrderService.prototype, 'insertFailedOrders');
    orders.mockRejectedValueOnce(new Error('away'));
    await expect(other.services.groupCommit.settle(claim)).rejects.toThrow('away');
    expect(await emOf(world, tenantId).count(Redemption, {})).toBe(0);
    expect(await openClaims(world, tenantId)).toBe(1);
    expect(await orderStatus(world, tenantId, claim.redemptionId, userId)).toBeNull();

    expect((await other.services.groupCommit.settle(claim)).kind).toBe('REFUSED');
    await expectFailed(seeded, claim.redemptionId, { refusal: 'CODE_INACTIVE' });
  });
});

/** This process waits long for its commit and defers the claim late, after another process has settled it. */
async function handingOverAfter(seeded: SeededCode, work: () => Promise<void>) {
  const { tenantId, userId, code } = seeded;
  const { groupCommit, pendingRedemptions } = world.services;
  vi.spyOn(groupCommit, 'settle').mockReturnValueOnce(Promise.withResolvers<never>().promise);
  const defer = pendingRedemptions.defer.bind(pendingRedemptions);
  const late = Promise.withResolvers<void>();
  vi.spyOn(pendingRedemptions, 'defer').mockImplementationOnce(async (...args) => {
    await late.promise;
    const open = await defer(...args);
    await loseJobs(world, tenantId);
    return open;
  });
  const answering = redeem(world, tenantId, userId, code, { idempotencyKey: 'k' });
  await eventually(async () => expect(await openClaims(world, tenantId)).toBe(1));
  await work();
  expect(await openClaims(world, tenantId)).toBe(0);
  late.resolve();
  return answering;
}

describe('a claim that another process settles just before it is deferred', () => {
  it('S0.10 is answered from its row when it is committed', async () => {
    const seeded = await seedCode(world);
    const { tenantId, userId, code } = seeded;
    const answer = await handingOverAfter(seeded, async () => {
      const retry = await redeem(other, tenantId, userId, code, { idempotencyKey: 'k' });
      expect(retry.status).toBe('COMMITTED');
    });
    const [row] = await emOf(world, tenantId).find(Redemption, {});
    expect(answer).toMatchObject({ status: 'COMMITTED', redemption: { id: row?.id }, orderNo: row?.id });
    expect(await factsOf(world, tenantId)).toEqual(factsAfter(1));
  });

  it('S0.10 gets an order that failed when it is refused', async () => {
    const seeded = await seedCode(world);
    const { tenantId, userId, code, codeId } = seeded;
    const answer = await handingOverAfter(seeded, async () => {
      await world.services.codeChanges.setEnabled(tenantId, codeId, false);
      const retry = await redeem(other, tenantId, userId, code, { idempotencyKey: 'k' });
      expect(outcomeOf(retry)).toBe('CODE_INACTIVE');
    });
    expect(answer.status).toBe('PROCESSING');
    await expectFailed(seeded, answer.orderNo ?? '', { refusal: 'CODE_INACTIVE' });
  });
});

describe('a deferred claim that is given up by a process that takes it for one that is not', () => {
  it('S0.10 gets an order that failed by the process that deferred it, whose commit comes to the tombstone', async () => {
    const seeded = await seedCode(world);
    const { tenantId, userId, code, codeId } = seeded;
    const release = await holdCode(world, tenantId, codeId);
    const settle = vi.spyOn(world.services.groupCommit, 'settle');
    const { status, orderNo } = await redeem(world, tenantId, userId, code);
    expect(status).toBe('PROCESSING');
    const [claim] = settle.mock.calls[0] ?? [];
    if (claim === undefined) throw new Error('No claim was made.');
    // As from a Redis that was put back to what it held before.
    await loseJobs(world, tenantId);
    await forget(world, tenantId);
    const asBefore = { ...claim, isDeferred: false };
    await other.services.aborter.abort(tenantId, [{ claim: asBefore, reason: 'DEADLINE_PASSED' }]);
    expect(await settledEvents(world, tenantId)).toEqual([]);
    await release();
    await expectFailed(seeded, orderNo ?? '', { refusal: null, winnerId: null });
  });
});

describe('a claim that is deferred while the tombstone of its refusal is written', () => {
  it('S0.10 gets an order that failed by the process that wrote it, when Redis has lost claim and job', async () => {
    const seeded = await seedCode(world);
    const { tenantId, userId, code, codeId } = seeded;
    const row = await emOf(world, tenantId).findOneOrFail(Code, { id: codeId });
    await world.services.copies.store(tenantId, [copyOf(row)], await world.services.copies.epoch(tenantId));
    // The copy in Redis still allows it.
    await emOf(world, tenantId).nativeUpdate(Code, { id: codeId }, { status: 'DISABLED' });
    const isLost = Promise.withResolvers<undefined>();
    const write = CommitWrites.prototype.write;
    vi.spyOn(CommitWrites.prototype, 'write').mockImplementationOnce(async function late(
      this: CommitWrites,
      ...args
    ) {
      await isLost.promise;
      return write.apply(this, args);
    });
    const { status, orderNo } = await redeem(world, tenantId, userId, code);
    expect(status).toBe('PROCESSING');
    await loseJobs(world, tenantId);
    await forget(world, tenantId);
    isLost.resolve(undefined);
    await expectFailed(seeded, orderNo ?? '', { refusal: 'CODE_INACTIVE', winnerId: null });
  });
});

describe('a commit that fails after its claim was deferred', () => {
  it(
    'S0.10 is left to the job: waits for a lock that are used up give nothing up',
    async () => {
      const { tenantId, userId, code, codeId } = await seedCode(world);
      const release = await holdCode(world, tenantId, codeId);
      const { status, orderNo } = await redeem(world, tenantId, userId, code);
      expect(status).toBe('PROCESSING');
      const no = orderNo ?? '';
      await eventually(
        async () =>
          expect(world.services.groupCommit.joining({ tenantId, redemptionId: no })).toBeUndefined(),
        GIVEN_UP_MS,
      );
      expect(await openClaims(world, tenantId)).toBe(1);
      await release();
      expect(await emOf(world, tenantId).count(Redemption, {})).toBe(0);
      await withWorker(async () => {
        await eventually(async () => expect(await orderStatus(world, tenantId, no, userId)).toBe('FINISHED'));
      });
      expect(await factsOf(world, tenantId)).toEqual(factsAfter(1));
    },
    GIVEN_UP_MS + 20_000,
  );
});

/** A deferred redemption whose job could neither settle nor abort it, because its worker did not reach the database. */
async function deadLetter(seeded: SeededCode): Promise<string> {
  const { tenantId } = seeded;
  const { redemptionId } = await deferRedemption(world, seeded, 'k');
  const url = new URL(inject('databaseUrl'));
  const line = await TcpForwarder.start(Number(url.port));
  url.port = String(line.port);
  url.hostname = '127.0.0.1';
  const worker = await openWorld(
    { ...IMPATIENT, STORE_TIMEOUT_MS: '1000' },
    { redisUrl: redis.url, databaseUrl: url.href },
  );
  await line.close();
  worker.services.pendingJobs.start();
  await eventually(async () => expect(await letters(tenantId)).toBe(1), GIVEN_UP_MS);
  await worker.services.pendingJobs.stop();
  await worker.close();
  return redemptionId;
}

const letters = async (tenantId: string): Promise<number> =>
  (await world.services.deadLetters.page(tenantId, { offset: 0, size: 10 })).total;

describe('a dead letter', () => {
  it.each([
    ['nothing', {}],
    ['all: false', { all: false }],
    ['an order number and all', { orderNo: '1', all: true }],
  ])('is not tried again for a call that names %s', async (_name, input) => {
    const { tenantId } = await seedCode(world);
    const { deadLetters } = world.services;
    const redriven = deadLetters.redrive(tenantId, input);
    await expect(redriven).rejects.toMatchObject({ code: 'ORDER_NO_OR_ALL_REQUIRED' });
    expect(await deadLetters.redrive(tenantId, { all: true })).toBe(0);
  });

  it('S0.11 whose claim is lost is retried by a worker after two hours', { timeout: 60_000 }, async () => {
    const seeded = await seedCode(world);
    const { tenantId, userId } = seeded;
    const redemptionId = await deadLetter(seeded);
    await forget(world, tenantId);
    const { deadLetters } = world.services;
    const job = `{bull}:pending-redemptions:${jobIdOf(tenantId, redemptionId)}`;
    await world.stores.redis.hincrby(job, 'finishedOn', 60_000 - DEFERRED_DEADLINE_MS);
    expect(await deadLetters.redriveOld()).toBe(0);
    expect(await orderStatus(world, tenantId, redemptionId, userId)).toBe('PENDING');
    await world.stores.redis.hincrby(job, 'finishedOn', -60_000);
    expect(await deadLetters.redriveOld()).toBe(1);
    expect(await deadLetters.redriveOld()).toBe(0);
    await withWorker(async () => {
      await eventually(async () =>
        expect(await orderStatus(world, tenantId, redemptionId, userId)).toBe('FINISHED'),
      );
    });
    expect(await letters(tenantId)).toBe(0);
    expect(await factsOf(world, tenantId)).toEqual(factsAfter(1));
  });

  it('S0.11 starts over when its claim is deferred again', { timeout: 60_000 }, async () => {
    const seeded = await seedCode(world);
    const { tenantId, userId, code, codeId } = seeded;
    const redemptionId = await deadLetter(seeded);
    const release = await holdCode(world, tenantId, codeId);
    const retry = await redeem(world, tenantId, userId, code, { idempotencyKey: 'k' });
    expect(retry).toMatchObject({ status: 'PROCESSING', orderNo: redemptionId });
    expect(await letters(tenantId)).toBe(0);
    await release();
    await eventually(async () =>
      expect(await orderStatus(world, tenantId, redemptionId, userId)).toBe('FINISHED'),
    );
    expect(await factsOf(world, tenantId)).toEqual(factsAfter(1));
  });
});
