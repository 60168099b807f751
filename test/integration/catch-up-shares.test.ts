import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { FeedSubscription } from '../../src/platform/push/feed-subscription.js';
import { newTenant, openFeedWorld, SETTLED, span, type FeedWorld } from '../support/feed-world.js';
import { roundsDuring } from '../support/loop-rounds.js';

const CATCH_UPS = 50;
const EVENTS = 400;
const USER = '17';

let world: FeedWorld;

beforeAll(async () => {
  world = await openFeedWorld();
});
afterAll(async () => world.close());

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
