import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { FeedSubscription } from '../../src/platform/push/feed-subscription.js';
import { collect, newTenant, openFeedWorld, SETTLED, span, type FeedWorld } from '../support/feed-world.js';
import { roundsDuring } from '../support/loop-rounds.js';

const CATCH_UPS = 50;
const EVENTS = 400;
const USER = '17';

let world: FeedWorld;

beforeAll(async () => {
  world = await openFeedWorld();
});
afterAll(async () => world?.close());

async function take(events: FeedSubscription, count: number): Promise<number[]> {
  const seqs: number[] = [];
  while (seqs.length < count) {
    const { value } = await events.next();
    if (value === undefined) break;
    seqs.push(value.seq);
  }
  await events.return();
  return seqs;
}

it('X.19 hands a flood of catch-ups on in slices, each event once, and lets another tenant pass', async () => {
  const [noisy, quiet] = [newTenant(), newTenant()];
  await world.commit(noisy, USER, EVENTS);
  await world.commit(quiet, USER, 10);
  const { feed } = await world.newProcess();
  const follow = async (tenantId: string) => feed.subscribe({ tenantId, types: [SETTLED], userId: USER }, 0);
  const flood = await Promise.all(Array.from({ length: CATCH_UPS }, async () => follow(noisy)));
  const other = await follow(quiet);

  const { result: all, rounds } = await roundsDuring(async () => {
    const flooded = Promise.all(flood.map(async (events) => take(events, EVENTS)));
    const first = await Promise.race([take(other, 10).then(() => 'quiet'), flooded.then(() => 'noisy')]);
    expect(first).toBe('quiet');
    return flooded;
  });
  for (const seqs of all) expect(seqs).toEqual(span(1, EVENTS));
  // Ten events at most in a round of the loop.
  expect(rounds).toBeGreaterThanOrEqual((CATCH_UPS * EVENTS) / 10);
});

it('X.19 paces those who catch up while redemptions are under way, and none who is live', async () => {
  const tenantId = newTenant();
  await world.commit(tenantId, USER, EVENTS);
  const isPressed = vi.fn<() => boolean>(() => true);
  const { feed } = await world.newProcess({ isPressed });
  const behind = await feed.subscribe({ tenantId, types: [SETTLED], userId: USER }, 0);
  const startMs = performance.now();
  expect(await take(behind, EVENTS)).toEqual(span(1, EVENTS));
  // Two milliseconds before each ten events, of which a timer may shorten one.
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(EVENTS / 10);

  const live = await feed.subscribe({ tenantId, types: [SETTLED], userId: USER });
  isPressed.mockClear();
  await world.commit(tenantId, USER, EVENTS);
  expect(await take(live, EVENTS)).toEqual(span(EVENTS + 1, 2 * EVENTS));
  expect(isPressed).not.toHaveBeenCalled();
});

it('X.19 brings those who catch up to the tail also when new events come faster than the pace', async () => {
  const tenantId = newTenant();
  await world.commit(tenantId, USER, 2000);
  const { feed } = await world.newProcess({ isPressed: () => true });
  const follow = async () => feed.subscribe({ tenantId, types: [SETTLED], userId: null }, 0);
  // Ten share 5,000 events a second, and the tail alone moves by up to 2,000.
  const behind = (await Promise.all(Array.from({ length: 10 }, follow))).map(collect);
  let lastSeq = 2000;
  const haveCaughtUp = (): boolean => behind.every(({ seqs }) => (seqs.at(-1) ?? 0) >= lastSeq - 80);
  const untilMs = performance.now() + 60_000;
  while (!haveCaughtUp() && performance.now() < untilMs) {
    await Promise.all([world.commit(tenantId, USER, 40), pause(20)]);
    lastSeq += 40;
  }
  expect(haveCaughtUp()).toBe(true);
  await expect.poll(() => behind.map(({ seqs }) => seqs.length)).toEqual(behind.map(() => lastSeq));
  for (const { seqs } of behind) expect(seqs).toEqual(span(1, lastSeq));
});

it('X.19 reads for subscribers over no more connections than they have, and each kind over its own', async () => {
  const tenants = Array.from({ length: 5 }, newTenant);
  for (const tenantId of tenants) await world.commit(tenantId, USER, 1);
  const { feed, eventLog } = await world.newProcess({ readsAtOnce: 1 });
  const mayEnd = Promise.withResolvers<void>();
  const underWay = { catchUps: 0, live: 0 };
  let most = 0;
  const read = eventLog.read.bind(eventLog);
  eventLog.read = async (tenantId, afterSeq, upToSeq) => {
    const kind = afterSeq === 0 ? 'catchUps' : 'live';
    underWay[kind] += 1;
    most = Math.max(most, underWay[kind]);
    await mayEnd.promise;
    return read(tenantId, afterSeq, upToSeq).finally(() => (underWay[kind] -= 1));
  };
  const filters = tenants.map((tenantId) => ({ tenantId, types: [SETTLED], userId: USER }));
  const live = (await Promise.all(filters.map(async (filter) => feed.subscribe(filter)))).map(collect);
  await pause(50);
  const behind = (await Promise.all(filters.map(async (filter) => feed.subscribe(filter, 0)))).map(collect);
  for (const tenantId of tenants) await world.commit(tenantId, USER, 1);
  await expect.poll(() => underWay).toEqual({ catchUps: 1, live: 1 });
  mayEnd.resolve();
  await expect.poll(() => live.map(({ seqs }) => seqs)).toEqual(tenants.map(() => [2]));
  await expect.poll(() => behind.map(({ seqs }) => seqs)).toEqual(tenants.map(() => [1, 2]));
  expect(most).toBe(1);
});
