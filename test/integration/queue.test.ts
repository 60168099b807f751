import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Job, Worker } from 'bullmq';
import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { createLog } from '../../src/platform/observability/log.js';
import { JobQueue } from '../../src/platform/queue/job-queue.js';
import { connectRedisWaiter } from '../../src/platform/redis/redis.js';

interface Work {
  readonly n: number;
}

let queue: JobQueue<Work>;
let consumer: JobQueue<Work>;
const log = createLog({ level: 'silent' });

beforeEach(() => {
  const settings = {
    redisUrl: inject('redisUrl'),
    name: `test-${randomBytes(6).toString('hex')}`,
    log,
    commandTimeoutMs: 5000,
    attempts: 3,
    backoffMs: 200,
  };
  queue = new JobQueue(settings);
  consumer = new JobQueue(settings);
});
afterEach(async () => {
  await consumer.close();
  await queue.close();
});

describe('a job whose process died', () => {
  it('is taken over once its lease has ended', async () => {
    const name = `test-${randomBytes(6).toString('hex')}`;
    const settings = { redisUrl: inject('redisUrl'), name, log, commandTimeoutMs: 5000, leaseMs: 1000 };
    const survivor = new JobQueue<Work>(settings);
    const connection = connectRedisWaiter(inject('redisUrl'));
    const dead = new Worker(name, null, { connection, prefix: '{bull}', lockDuration: 1000 });
    await survivor.add('order-1', { n: 1 });
    expect((await dead.getNextJob('token'))?.data).toEqual({ n: 1 });
    const done: number[] = [];
    survivor.start(async ({ n }) => void done.push(n));
    await expect.poll(() => done).toEqual([1]);
    await dead.close(true);
    connection.disconnect();
    await survivor.close();
  });
});

describe('a job queue with shares', () => {
  it('does the jobs of others at once while the work of one owner hangs, and loses no attempt of that', async () => {
    const share = { ownerOf: ({ n }: Work) => (n < 100 ? 'hanging' : 'other'), max: 2 };
    const name = `test-${randomBytes(6).toString('hex')}`;
    const settings = { redisUrl: inject('redisUrl'), name, log, commandTimeoutMs: 5000, attempts: 1 };
    const shared = new JobQueue<Work>({ ...settings, concurrency: 4, share });
    const { promise: hanging, resolve: letGo } = Promise.withResolvers<null>();
    const done: number[] = [];
    let underWay = 0;
    let most = 0;
    for (let n = 0; n < 10; n += 1) await shared.add(`order-${n}`, { n });
    shared.start(async ({ n }) => {
      if (n < 100) {
        underWay += 1;
        most = Math.max(most, underWay);
        await hanging;
        underWay -= 1;
      }
      done.push(n);
    });
    await expect.poll(() => underWay).toBe(2);
    for (const n of [100, 101, 102]) await shared.add(`order-${n}`, { n });
    await expect.poll(() => done.length).toBe(3);
    expect(new Set(done)).toEqual(new Set([100, 101, 102]));
    letGo(null);
    await expect.poll(() => done.length, { timeout: 60_000 }).toBe(13);
    expect(most).toBe(2);
    expect(await shared.counts()).toEqual({ pending: 0, dead: 0 });
    await shared.close();
  });

  it('moves the jobs of a hanging owner once each and then a share per turn, however many there are', async () => {
    const share = { ownerOf: () => 'hanging', max: 2 };
    const name = `test-${randomBytes(6).toString('hex')}`;
    const settings = { redisUrl: inject('redisUrl'), name, log, commandTimeoutMs: 5000, attempts: 1 };
    const shared = new JobQueue<Work>({ ...settings, concurrency: 4, share });
    const { promise: hanging, resolve: letGo } = Promise.withResolvers<null>();
    const moves = vi.spyOn(Job.prototype, 'moveToDelayed');
    for (let n = 0; n < 30; n += 1) await shared.add(`order-${n}`, { n });
    let done = 0;
    shared.start(async () => {
      await hanging;
      done += 1;
    });
    await expect.poll(() => moves.mock.calls.length).toBeGreaterThanOrEqual(28);
    const fromMs = performance.now();
    await pause(2000);
    await expect.poll(() => moves.mock.calls.length).toBeGreaterThanOrEqual(28 + 4);
    // 28 at first, and two each half second: they would be 28 each half second.
    const halfSeconds = (performance.now() - fromMs) / 500;
    expect(moves.mock.calls.length).toBeLessThanOrEqual(28 + 3 * halfSeconds);
    moves.mockRestore();
    letGo(null);
    await expect.poll(() => done, { timeout: 60_000 }).toBe(30);
    await shared.close();
  });
});

describe('a job that is done in parts', () => {
  it('is met again after the wait that it answers, behind those that wait, and uses no attempt up', async () => {
    const name = `test-${randomBytes(6).toString('hex')}`;
    const settings = { redisUrl: inject('redisUrl'), name, log, commandTimeoutMs: 5000, attempts: 1 };
    const parts = new JobQueue<Work>({ ...settings, concurrency: 1 });
    const met: [number, number][] = [];
    await parts.add('long', { n: 1 });
    await parts.add('short', { n: 2 });
    parts.start(async ({ n }, attempt) => {
      met.push([n, attempt]);
      return n === 1 && met.length < 5 ? 10 : null;
    });
    await expect.poll(async () => (await parts.counts()).pending).toBe(0);
    expect(met.slice(0, 2)).toEqual([
      [1, 1],
      [2, 1],
    ]);
    // Attempt 1 each time: a part is no further attempt.
    expect(met.slice(2).every(([n, attempt]) => n === 1 && attempt === 1)).toBe(true);
    expect(met.length).toBeGreaterThanOrEqual(5);
    expect(await parts.counts()).toEqual({ pending: 0, dead: 0 });
    await parts.close();
  });
});

describe('a job queue', () => {
  it('runs a job once, however often it is handed in under one id', async () => {
    const done: Work[] = [];
    await Promise.all([1, 2, 3].map(async (n) => queue.add('order-1', { n })));
    consumer.start(async (work) => void done.push(work));
    await expect.poll(() => done.length).toBe(1);
    await queue.add('order-1', { n: 9 });
    await queue.add('order-2', { n: 10 });
    await expect.poll(() => done.map(({ n }) => n).at(-1)).toBe(10);
    expect(done).toHaveLength(2);
  });

  it('tries a failing job again with growing pauses, then keeps it for the operators', async () => {
    const attempts: number[] = [];
    const startedMs: number[] = [];
    // No part of a pause by chance.
    const chance = vi.spyOn(Math, 'random').mockReturnValue(0.9999);
    consumer.start(async (_work, attempt) => {
      attempts.push(attempt);
      startedMs.push(performance.now());
      throw new Error('not yet');
    });
    await queue.add('order-1', { n: 1 });
    await expect.poll(async () => (await queue.counts()).dead, { timeout: 30_000 }).toBe(1);
    chance.mockRestore();
    expect(attempts).toEqual([1, 2, 3]);
    const [first = 0, second = 0, third = 0] = startedMs;
    // 200 ms, then twice as much; less would be no growth, and a busy machine only adds to it.
    expect(second - first).toBeGreaterThan(190);
    expect(third - second).toBeGreaterThan(390);
  });

  it('says of a job that is given up before its attempts are used up that it is', async () => {
    const given = vi.spyOn(log, 'error');
    const failed = vi.spyOn(log, 'warn');
    consumer.start(async (_work, attempt) => {
      // As the library says it of a job on which worker after worker has died.
      throw Object.assign(new Error('no more'), attempt === 2 ? { name: 'UnrecoverableError' } : {});
    });
    await queue.add('order-1', { n: 1 });
    await expect.poll(async () => (await queue.counts()).dead, { timeout: 30_000 }).toBe(1);
    await expect.poll(() => given.mock.calls.length).toBe(1);
    expect(given.mock.lastCall?.[1]).toBe('job was given up');
    expect(failed.mock.calls.map(([, said]) => said)).toEqual(['job failed, trying again']);
  });

  it('does not begin a job before its time', async () => {
    let startedMs = 0;
    consumer.start(async () => {
      startedMs = performance.now();
    });
    const addedMs = performance.now();
    await queue.add('order-1', { n: 1 }, { delayMs: 150 });
    await expect.poll(() => startedMs).toBeGreaterThan(0);
    expect(startedMs - addedMs).toBeGreaterThan(140);
  });

  it('begins a job in time that a process has handed in whose clock is an hour ahead', async () => {
    const done: number[] = [];
    consumer.start(async ({ n }) => void done.push(n));
    const realMs = Date.now();
    const clock = vi.spyOn(Date, 'now').mockReturnValue(realMs + 3_600_000);
    await queue.add('order-1', { n: 1 }, { delayMs: 50 });
    clock.mockRestore();
    await expect.poll(() => done, { timeout: 30_000 }).toEqual([1]);
  });

  it('finishes the job under way when it closes', async () => {
    const steps: string[] = [];
    const { promise: started, resolve: nowStarted } = Promise.withResolvers<void>();
    consumer.start(async () => {
      nowStarted();
      await new Promise((resolve) => {
        setTimeout(resolve, 50);
      });
      steps.push('done');
    });
    await queue.add('order-1', { n: 1 });
    await started;
    await consumer.close();
    expect(steps).toEqual(['done']);
  });
});
