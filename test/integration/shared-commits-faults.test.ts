import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  DatabaseProxy,
  isCommitReply,
  isCommitRequest,
  type MessageTest,
} from '../support/database-proxy.js';
import { factsOf, openClaims } from '../support/facts.js';
import { ALL_FOUR, holdingsOf } from '../support/four-rewards.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { driftsAtRest } from '../support/reversals.js';
import { createScratchDatabase } from '../support/scratch-database.js';
import { oddOf, openShops, settle, type Shop } from '../support/shared-commits.js';
import { openWorld, type World } from '../support/world.js';

const TENANTS = 4;

let proxy: DatabaseProxy;
/** Its connections can be cut. */
let world: World;
let other: World;
openBeforeAll(async (closing) => {
  const database = await closing(createScratchDatabase());
  proxy = await closing(DatabaseProxy.open(database.databaseUrl));
  world = await closing(openWorld({}, { databaseUrl: proxy.url }));
  other = await closing(openWorld({}, database));
});

async function expectRedeemedOnce(shops: readonly Shop[]): Promise<void> {
  for (const shop of shops) {
    const { committed, used, tombstones, events } = await factsOf(other, shop.tenantId);
    expect({ committed, used, tombstones, events }).toEqual({
      committed: 2,
      used: 2,
      tombstones: 0,
      events: 2,
    });
    for (const userId of shop.users) expect(await holdingsOf(shop, userId)).toEqual(ALL_FOUR);
    expect(await openClaims(other, shop.tenantId)).toBe(0);
    expect(await driftsAtRest(other, shop.tenantId)).toEqual({});
  }
}

const messageWith =
  (side: 'REQUEST' | 'REPLY', text: string): MessageTest =>
  (event) =>
    event.side === side && event.statements.some((sql) => sql.includes(text));

const CUTS = [
  ['the message of locks', messageWith('REQUEST', 'skip locked'), 'COMMITTED'],
  ['the answer to the locks', messageWith('REPLY', 'skip locked'), 'COMMITTED'],
  ['the message of rewards', messageWith('REQUEST', 'from points_account'), 'COMMITTED'],
  ['the message that writes', messageWith('REQUEST', 'update code force index'), 'COMMITTED'],
  ['the answer to the writes', messageWith('REPLY', 'update code force index'), 'COMMITTED'],
  ['COMMIT', isCommitRequest, 'COMMITTED'],
  ['the answer to COMMIT', isCommitReply, 'SETTLED'],
] as const;

describe('a connection of a transaction of several tenants that is cut', () => {
  it.each(CUTS)('S4.10 before %s redeems each code once', async (_, test, outcome) => {
    const shops = await openShops(other, TENANTS);
    const [odd] = oddOf(shops);
    const held = proxy.hold(odd.tenantId, test);
    held.letGo('RESET');
    const outcomes = await settle(world, shops);
    await held.reached;
    expect(new Set(outcomes)).toEqual(new Set([outcome]));
    await expectRedeemedOnce(shops);
  });

  it('S4.10 before the answer to COMMIT, and again where each tenant goes alone, redeems each code once', async () => {
    const shops = await openShops(other, TENANTS);
    const held = shops.map(({ tenantId }) => proxy.hold(tenantId, isCommitReply));
    for (const { letGo } of held) letGo('RESET');
    const outcomes = await settle(world, shops);
    await Promise.all(held.map(async ({ reached }) => reached));
    expect(new Set(outcomes)).toEqual(new Set(['SETTLED']));
    await expectRedeemedOnce(shops);
  });

  it('S0.9 whose COMMIT is held while another process adopts the claims has their locks', async () => {
    const shops = await openShops(other, TENANTS);
    const held = proxy.hold(oddOf(shops)[0].tenantId, isCommitRequest);
    const settled = settle(world, shops);
    await held.reached;
    const adopted = settle(other, shops);
    await pause(300);
    held.letGo('PASS');
    expect(new Set(await settled)).toEqual(new Set(['COMMITTED']));
    expect(new Set(await adopted)).toEqual(new Set(['SETTLED']));
    await expectRedeemedOnce(shops);
  });
});
