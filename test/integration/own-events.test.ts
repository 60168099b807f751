import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RequestContext } from '../../src/graphql/context.js';
import { ownEvents, type FeedItem } from '../../src/graphql/own-events.js';
import { invalidatedBy, SUBSCRIPTION_EVENTS } from '../../src/subscriptions/subscription-events.js';
import {
  newTenant,
  openFeedWorld,
  SETTLED,
  type FeedProcess,
  type FeedWorld,
} from '../support/feed-world.js';

const USER = '17';

let world: FeedWorld;
let process: FeedProcess;
beforeAll(async () => {
  world = await openFeedWorld();
  process = await world.newProcess();
});
afterAll(async () => world?.close());

const rewards = (...planIds: string[]) =>
  planIds.map((planId, rewardNo) => ({
    rewardNo,
    type: 'SUBSCRIPTION',
    sourceId: planId,
    targetId: `9${planId}`,
  }));

/** Redemptions of three, no and one reward, one that was refused, and a subscription that expired. */
async function seeded(): Promise<string> {
  const tenantId = newTenant();
  const payloads = [
    { rewards: rewards('1', '2', '3') },
    { rewards: [{ rewardNo: 0, type: 'POINTS', sourceId: '1', targetId: '1' }] },
    { status: 'REFUSED' },
    { rewards: rewards('4') },
  ];
  await world.transactions.run(tenantId, async (em) => {
    const drafts = payloads.map((payload) => ({ type: SETTLED, userId: USER, payload }));
    const ended = {
      type: 'subscription_invalidated',
      userId: USER,
      payload: { subscriptionId: '95', planId: '5' },
    };
    world.outbox.append(em, tenantId, [...drafts, ended]);
    return Promise.resolve();
  });
  return tenantId;
}

async function itemsAfter(tenantId: string, after: string, count: number): Promise<FeedItem[]> {
  const actor = { kind: 'USER' as const, tenantId, userId: USER };
  const context = { actor, events: process.feed } as unknown as RequestContext;
  const source = ownEvents({ types: SUBSCRIPTION_EVENTS, items: invalidatedBy, list: 'mySubscriptions' });
  const events = await source({ args: { after }, context });
  const items: FeedItem[] = [];
  for await (const item of events) if (items.push(item) === count) break;
  return items;
}

it('X.1 sends each subscription that a redemption changed once, and resumes between two of them', async () => {
  const tenantId = await seeded();
  const all = await itemsAfter(tenantId, '0', 5);
  expect(all.map(({ cursor, planId, subscriptionId }) => [cursor, planId, subscriptionId])).toEqual([
    ['1-1', '1', '91'],
    ['1-2', '2', '92'],
    ['1', '3', '93'],
    ['4', '4', '94'],
    ['5', '5', '95'],
  ]);
  expect(new Set(all.map(({ eventId }) => eventId)).size).toBe(5);
  for (const [at, { cursor }] of all.slice(0, 4).entries())
    expect(await itemsAfter(tenantId, String(cursor), 4 - at)).toEqual(all.slice(at + 1));
});
