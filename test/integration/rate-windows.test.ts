import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NO_LIMITS, type RateWindow } from '../../src/limits/rate-limit.service.js';
import { ReconciliationRedis } from '../../src/reconciliation/reconciliation.redis.js';
import { openWorld, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

function windowsOf(...limits: readonly (readonly [limit: number, lengthMs: number])[]): RateWindow[] {
  const key = `{T_${world.services.ids.next()}}:rate:line:APP_A`;
  return limits.map(([limit, lengthMs]) => ({ key, limit, lengthMs }));
}

async function attempt(windows: readonly RateWindow[], id = world.services.ids.next()) {
  const keys = { tenantId: 'T', userId: '1', digest: '', digests: [], idempotencyKey: null };
  const tenantId = /^\{(.+)\}/.exec(windows[0]?.key ?? '')?.[1] ?? keys.tenantId;
  return world.services.redemptionRedis.admit(id, { ...keys, tenantId }, { ...NO_LIMITS, windows });
}

/** Many at once. @returns the instants of those admitted, and the waits of those refused */
async function flood(windows: readonly RateWindow[], count: number) {
  const replies = await Promise.all(Array.from({ length: count }, async () => attempt(windows)));
  return {
    admitted: replies.filter(({ status }) => status !== 'RATE_LIMITED').map(({ nowMs }) => nowMs),
    waits: replies.flatMap((reply) => (reply.status === 'RATE_LIMITED' ? [reply.retryAfterMs] : [])),
  };
}

async function bytesOf(window: RateWindow | undefined): Promise<number> {
  const key = window?.key ?? '';
  const sizes = [key, `${key}:older`].map(async (each) => world.stores.redis.memory('USAGE', each));
  return (await Promise.all(sizes)).reduce<number>((sum, size) => sum + (size ?? 0), 0);
}

it('S4.14 a window takes 150 KB at most, whatever its limit, and admits exactly its limit at once', async () => {
  const windows = windowsOf([5000, 3_600_000], [2_147_483_647, 86_400_000]);
  const { admitted, waits } = await flood(windows, 5200);
  expect([admitted.length, waits.length]).toEqual([5000, 200]);
  for (const waitMs of waits) expect(waitMs).toBeLessThanOrEqual(3_600_000 + 60_000);
  expect(await bytesOf(windows[0])).toBeLessThan(150_000);
  const redis = new ReconciliationRedis(world.stores.redis);
  const nowMs = await redis.nowMs('T');
  expect(await redis.attemptsWithin(windows[0]?.key ?? '', 3_600_000, nowMs)).toBeLessThanOrEqual(5000);
});

it('I8 no rolling window holds more than its limit, also one too large to be exact, and its waits are true', async () => {
  const LENGTH_MS = 1500;
  // Few enough that a busy machine reaches it, and too many to be kept one by one.
  const LIMIT = 1100;
  const windows = windowsOf([LIMIT, LENGTH_MS]);
  const admitted: number[] = [];
  let waited = 0;
  for (let round = 0; round < 20; round += 1) {
    const { admitted: more, waits } = await flood(windows, 500);
    for (const waitMs of waits) expect(waitMs).toBeLessThanOrEqual(LENGTH_MS + LENGTH_MS / 60);
    admitted.push(...more);
    // Asked alone: what becomes free during a flood is taken by the flood itself.
    const asked = await attempt(windows);
    if (asked.status === 'RATE_LIMITED') {
      await pause(asked.retryAfterMs + 2);
      waited += 1;
    }
    const { status, nowMs } = asked.status === 'RATE_LIMITED' ? await attempt(windows) : asked;
    expect(status).not.toBe('RATE_LIMITED');
    admitted.push(nowMs);
  }
  expect(waited).toBeGreaterThan(3);
  admitted.sort((a, b) => a - b);
  expect(admitted.length).toBeGreaterThan(2 * LIMIT);
  const spans = admitted.slice(LIMIT).map((later, at) => later - (admitted[at] ?? 0));
  expect(Math.min(...spans)).toBeGreaterThanOrEqual(LENGTH_MS);
});

it('a window up to 1,000 is exact: it moves nothing, forgets replays, and counts what Redis runs twice once', async () => {
  const windows = windowsOf([1000, 3_600_000]);
  const key = windows[0]?.key ?? '';
  expect((await flood(windows, 999)).admitted.length).toBe(999);
  const id = world.services.ids.next();
  const runs = [await attempt(windows, id), await attempt(windows, id)];
  expect(runs.map(({ status }) => status)).toEqual(['LOAD', 'LOAD']);
  expect((await attempt(windows)).status).toBe('RATE_LIMITED');
  await world.services.redemptionRedis.forgetAttempt(id, windows);
  expect((await attempt(windows)).status).toBe('LOAD');
  expect((await attempt(windows)).status).toBe('RATE_LIMITED');
  expect(await world.stores.redis.exists(`${key}:older`)).toBe(0);
});

it('a window from before, with more attempts than are kept one by one, still counts them all, and shrinks', async () => {
  const windows = windowsOf([3000, 3_600_000]);
  const key = windows[0]?.key ?? '';
  const nowMs = await new ReconciliationRedis(world.stores.redis).nowMs('T');
  await world.stores.redis.zadd(key, ...Array.from({ length: 2900 }, (_, at) => [nowMs, `old-${at}`]).flat());
  expect((await flood(windows, 300)).admitted.length).toBe(100);
  expect(await world.stores.redis.zcard(key)).toBe(1000);
});

it('a window under steady attempts drops what has left it, of the shorter length too', async () => {
  const windows = windowsOf([900, 500], [100_000, 1000]);
  for (let round = 0; round < 30; round += 1) {
    await flood(windows, 400);
    await pause(100);
  }
  const buckets = await world.stores.redis.hkeys(`${windows[0]?.key}:older`);
  expect(buckets.length).toBeGreaterThan(0);
  expect(buckets.length).toBeLessThanOrEqual(2 * 62 + 1);
});
