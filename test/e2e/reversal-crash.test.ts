import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemEm } from '../../src/platform/database/orm.js';
import { OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import { signedUser, signedUsers, staffToken, standingCluster, type Cluster } from '../support/cluster.js';
import { graphqlRequest, graphqlSubscribe } from '../support/graphql-client.js';
import { pick, redeemAll, redeemOnce, tallyOf } from '../support/redeemers.js';
import { holdRows } from '../support/row-lock.js';
import { stateOf } from '../support/reversals.js';
import { expectPublished } from '../support/truth.js';
import { cursorNow, emOf, seedCampaign, seedTenant } from '../support/world.js';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await standingCluster();
});
afterAll(async () => cluster?.close());

const REVERSE = `mutation ($id: ID!) {
  reverseRedemption(input: { redemptionId: $id, reason: "a mistake", returnUse: true }) {
    redemption { id status reversalReason reversedBy debts { debt } } errors { code }
  }
}`;

/** Statements that wait for rows of this table. */
async function waitingFor(table: string): Promise<number> {
  const [row] = await systemEm(cluster.world.stores.orm).execute<[{ count: number }]>(
    `select count(*) as count from information_schema.processlist
      where id <> connection_id() and db = database() and command = 'Query'
        and info like 'select%from ${table} %for update%'`,
  );
  return row.count;
}

interface Reversed {
  readonly reverseRedemption: {
    readonly redemption: Readonly<Record<string, unknown>> | null;
    readonly errors: readonly { readonly code: string }[];
  };
}

/** REVERSED, or the code of the refusal; null where the process died under it. */
async function reverseAt(url: string, token: string, id: string): Promise<string | null> {
  const answer = await graphqlRequest<Reversed>(url, { token, query: REVERSE, variables: { id } }).catch(
    () => null,
  );
  const payload = answer?.data?.reverseRedemption;
  return payload === undefined ? null : (payload.errors[0]?.code ?? String(payload.redemption?.['status']));
}

describe('a reversal whose process is killed', () => {
  it('X.9 is done or not done at all, wherever it was, and once when it is repeated', async () => {
    const { world, urls } = cluster;
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(world, tenant, 24);
    const users = await signedUsers(world, tenantId, 24);
    const wishes = codes.map((code, at) => ({ code, user: pick(users, at) }));
    const ids = (await redeemAll(urls, wishes)).map(({ redemption }) => redemption?.id ?? '');
    const token = staffToken(world, tenantId);
    const victim = await cluster.further();
    // Some have committed and some have not when it dies: it is killed when the first one is there to be read.
    const fates = Promise.all(ids.map(async (id) => reverseAt(victim.url, token, id)));
    await vi.waitFor(
      async () => {
        const told = await emOf(world, tenantId).count(OutboxEvent, { type: 'redemption_reversed' });
        expect(told).toBeGreaterThan(0);
      },
      { timeout: 60_000, interval: 1 },
    );
    await victim.kill();
    const before = await fates;
    const repeated = await Promise.all(
      ids.map(async (id, at) => reverseAt(urls[at % 2 === 0 ? 0 : 1], token, id)),
    );
    // What was answered as done was done; each of the others is done by one of the two calls.
    const done = before.map((fate, at) => [fate, repeated[at]].filter((outcome) => outcome === 'REVERSED'));
    expect(repeated.every((outcome) => outcome === 'REVERSED' || outcome === 'ALREADY_REVERSED')).toBe(true);
    expect(done.filter(({ length }) => length > 1)).toEqual([]);
    const { codes: rows, redemptions, orders, grants, subscriptions } = await stateOf(world, tenantId);
    expect(redemptions.map(({ status }) => status)).toEqual(ids.map(() => 'REVERSED'));
    expect(orders.map(({ status }) => status)).toEqual(ids.map(() => 'REFUNDED'));
    expect(grants.map(({ status }) => status)).toEqual(ids.map(() => 'REVERSED'));
    expect(subscriptions.map(({ status }) => status)).toEqual(ids.map(() => 'DEDUCTED'));
    expect(rows.map(({ used }) => used)).toEqual(ids.map(() => 0));
    expect(await emOf(world, tenantId).count(OutboxEvent, { type: 'redemption_reversed' })).toBe(ids.length);
    // What the victim could not tell Redis, the worker's consumer tells it.
    await expectPublished(world, tenantId);
    expect(tallyOf(await redeemAll(urls, wishes))).toEqual({ COMMITTED: ids.length });
  });
});

describe('a reversal whose process is killed in the middle of its transaction', () => {
  it('has changed nothing, and holds no lock', async () => {
    const { world, urls } = cluster;
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(world, tenant, 5);
    const users = await signedUsers(world, tenantId, 5);
    const wishes = codes.map((code, at) => ({ code, user: pick(users, at) }));
    const ids = (await redeemAll(urls, wishes)).map(({ redemption }) => redemption?.id ?? '');
    const before = await stateOf(world, tenantId);
    const token = staffToken(world, tenantId);
    const victim = await cluster.further();
    // Orders are refunded by then, and subscriptions are locked; the plan is not to be had.
    const letGo = await holdRows(world, tenantId, 'select id from plan where tenant_id = ? for update');
    const fates = Promise.all(ids.map(async (id) => reverseAt(victim.url, token, id)));
    await vi.waitFor(async () => expect(await waitingFor('plan')).toBe(ids.length), {
      timeout: 60_000,
      interval: 20,
    });
    await victim.kill();
    await letGo();
    expect(await fates).toEqual(ids.map(() => null));
    await vi.waitFor(async () => expect(await waitingFor('plan')).toBe(0), { timeout: 60_000, interval: 20 });
    expect(await stateOf(world, tenantId)).toEqual(before);
    const again = await Promise.all(ids.map(async (id, at) => reverseAt(pick(urls, at), token, id)));
    expect(again).toEqual(ids.map(() => 'REVERSED'));
    await expectPublished(world, tenantId);
  });
});

describe('what a reversal tells', () => {
  it('reaches the user, and their subscription is invalidated, when both can be read', async () => {
    const { world, urls } = cluster;
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(world, tenant, 1);
    const user = await signedUser(world, tenantId);
    const { redemption } = await redeemOnce(urls[0], { user, code: codes[0] ?? '' });
    const id = redemption?.id ?? '';
    const after = await cursorNow(world, tenantId);
    const open = async (query: string) =>
      graphqlSubscribe<Record<string, Record<string, unknown>>>(urls[1], {
        token: user.token,
        query,
        variables: { after },
      });
    const reversals = await open(
      'subscription ($after: String) { redemptionReversed(after: $after) { redemptionId userId orderNo useReturned } }',
    );
    const invalidations = await open(
      'subscription ($after: String) { subscriptionInvalidated(after: $after) { planId } }',
    );
    expect(await reverseAt(urls[0], staffToken(world, tenantId), id)).toBe('REVERSED');
    const told = await reversals.next();
    expect(told?.data?.['redemptionReversed']).toEqual({
      redemptionId: id,
      userId: user.userId,
      orderNo: id,
      useReturned: true,
    });
    const invalidated = await invalidations.next();
    expect(invalidated?.data?.['subscriptionInvalidated']).toEqual({ planId: tenant.planId });
    const read = await graphqlRequest<{
      redemption: Record<string, unknown>;
      mySubscriptions: Record<string, unknown>[];
    }>(urls[1], {
      token: user.token,
      query:
        'query ($id: ID!) { redemption(id: $id) { status reversalReason reversedBy } mySubscriptions { status } }',
      variables: { id },
    });
    expect(read.data).toEqual({
      redemption: { status: 'REVERSED', reversalReason: null, reversedBy: null },
      mySubscriptions: [{ status: 'DEDUCTED' }],
    });
    await Promise.all([reversals.close(), invalidations.close()]);
  });
});
