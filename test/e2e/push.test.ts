import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Redemption } from '../../src/redemption/history/redemption.entity.js';
import {
  standingCluster,
  signedUser,
  staffToken,
  type Cluster,
  type SignedUser,
} from '../support/cluster.js';
import { graphqlRequest, graphqlSubscribe, type GraphqlStream } from '../support/graphql-client.js';
import { pushOf, redeemOnce } from '../support/redeemers.js';
import { cursorNow, emOf, seedCampaign, seedTenant } from '../support/world.js';

const SETTLED =
  'subscription ($after: String) { redemptionSettled(after: $after) { eventId cursor status redemptionId userId orderNo campaignId useNo } }';
const INVALIDATED =
  'subscription ($after: String) { subscriptionInvalidated(after: $after) { eventId cursor userId subscriptionId planId } }';
const REDEMPTION = 'query ($id: ID!) { redemption(id: $id) { id status userId } }';
const MINE = '{ mySubscriptions { id planId status startedAt expiresAt } }';

interface Settled {
  readonly redemptionSettled: Readonly<Record<string, unknown>>;
}
interface Invalidated {
  readonly subscriptionInvalidated: Readonly<Record<string, unknown>>;
}
interface Held {
  readonly id: string;
  readonly planId: string;
  readonly expiresAt: string;
}

let cluster: Cluster;
let streams: GraphqlStream<unknown>[] = [];
beforeAll(async () => {
  cluster = await standingCluster();
});
afterAll(async () => {
  await Promise.all(streams.map(async (stream) => stream.close()));
  await cluster?.close();
});

async function seeded(codeCount: number) {
  const tenant = await seedTenant(cluster.world);
  const campaign = await seedCampaign(cluster.world, tenant, codeCount);
  const user = await signedUser(cluster.world, tenant.tenantId);
  return { ...tenant, ...campaign, user };
}

/** Every event of the user's, or of the tenant's for staff, from now on. */
async function subscribe<Data>(
  url: string,
  { tenantId, token }: Pick<SignedUser, 'tenantId' | 'token'>,
  query: string,
): Promise<() => Promise<Data>> {
  const after = await cursorNow(cluster.world, tenantId);
  const stream = await graphqlSubscribe<Data>(url, { token, query, variables: { after } });
  streams = [...streams, stream];
  return async () => {
    const event = await stream.next();
    if (!event?.data) throw new Error(`No event: ${JSON.stringify(event?.errors)}`);
    return event.data;
  };
}

const staffOf = (tenantId: string) => ({ tenantId, token: staffToken(cluster.world, tenantId) });

async function holdings(url: string, user: SignedUser): Promise<Held[]> {
  const answer = await graphqlRequest<{ mySubscriptions: Held[] }>(url, { token: user.token, query: MINE });
  return answer.data?.mySubscriptions ?? [];
}

/** That many numbers, each greater than the one before. */
function expectToGrow(numbers: readonly number[], count: number): void {
  expect(numbers).toEqual([...new Set(numbers)].toSorted((x, y) => x - y));
  expect(numbers).toHaveLength(count);
}

describe('the outcome of a redemption', () => {
  it('X.1 reaches the user at another process, when the row is already there to be read', async () => {
    const { tenantId, campaignId, codes, user } = await seeded(20);
    const [a, b] = cluster.urls;
    const next = await subscribe<Settled>(b, user, SETTLED);
    const cursors: number[] = [];
    for (const code of codes) {
      const asked = redeemOnce(a, { user, code });
      const { redemptionSettled: event } = await pushOf(asked, next);
      const id = String(event['redemptionId']);
      // Checked before the mutation has answered: the event alone must imply the row.
      const row = await emOf(cluster.world, tenantId).findOne(Redemption, { id });
      expect(row?.status).toBe('COMMITTED');
      const read = await graphqlRequest(b, { token: user.token, query: REDEMPTION, variables: { id } });
      expect(read.data).toEqual({ redemption: { id, status: 'COMMITTED', userId: user.userId } });
      const { redemption } = await asked;
      expect(event).toMatchObject({
        status: 'COMMITTED',
        redemptionId: redemption?.id,
        orderNo: redemption?.id,
      });
      expect(event).toMatchObject({ userId: user.userId, campaignId, useNo: 1 });
      cursors.push(Number(event['cursor']));
    }
    expectToGrow(cursors, 20);
  });

  it('X.1 S4.1 reaches only the own user and the staff of the own tenant', async () => {
    const { tenantId, codes, user } = await seeded(2);
    const stranger = await signedUser(cluster.world, tenantId);
    const foreign = await seeded(1);
    const [a, b] = cluster.urls;
    const heard = {
      user: await subscribe<Settled>(b, user, SETTLED),
      stranger: await subscribe<Settled>(b, stranger, SETTLED),
      staff: await subscribe<Settled>(b, staffOf(tenantId), SETTLED),
      foreignUser: await subscribe<Settled>(b, foreign.user, SETTLED),
      foreignStaff: await subscribe<Settled>(b, staffOf(foreign.tenantId), SETTLED),
    };
    const own = await redeemOnce(a, { user, code: codes[0] ?? '' });
    const of = async (who: keyof typeof heard) => (await heard[who]()).redemptionSettled['redemptionId'];
    expect(await of('user')).toBe(own.redemption?.id);
    expect(await of('staff')).toBe(own.redemption?.id);
    // Events come in order: a user whose first event is their own has not received the other one.
    const strangers = await redeemOnce(a, { user: stranger, code: codes[1] ?? '' });
    expect(await of('stranger')).toBe(strangers.redemption?.id);
    expect(await of('staff')).toBe(strangers.redemption?.id);
    const foreigners = await redeemOnce(a, { user: foreign.user, code: foreign.codes[0] ?? '' });
    expect(await of('foreignUser')).toBe(foreigners.redemption?.id);
    expect(await of('foreignStaff')).toBe(foreigners.redemption?.id);
  });

  it('X.1 is not pushed for a refusal', async () => {
    const { codes, user } = await seeded(2);
    const [a, b] = cluster.urls;
    const next = await subscribe<Settled>(b, user, SETTLED);
    const first = await redeemOnce(a, { user, code: codes[0] ?? '' });
    for (const url of cluster.urls) {
      expect((await redeemOnce(url, { user, code: codes[0] ?? '' })).outcome).toBe('ALREADY_REDEEMED');
    }
    const second = await redeemOnce(a, { user, code: codes[1] ?? '' });
    expect((await next()).redemptionSettled['redemptionId']).toBe(first.redemption?.id);
    expect((await next()).redemptionSettled['redemptionId']).toBe(second.redemption?.id);
  });

  it('X.1 is refused without a token', async () => {
    const stream = graphqlSubscribe(cluster.urls[1], { query: SETTLED });
    await expect(stream.then(async (events) => events.next())).resolves.toMatchObject({
      errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
    });
    streams = [...streams, await stream];
  });
});

describe('a subscription that a redemption has changed', () => {
  it('S0.16 is read new by every process from the push on, however often it was read before', async () => {
    const { planId, codes, user } = await seeded(12);
    const [a, b] = cluster.urls;
    const next = await subscribe<Invalidated>(b, user, INVALIDATED);
    const done = new AbortController();
    // Reads all the time, so that some reader is always about to cache what was true before the commit.
    const reading = [a, b].map(async (url) => {
      while (!done.signal.aborted) await holdings(url, user);
    });
    const ends: number[] = [];
    for (const [index, code] of codes.entries()) {
      const redeemed = redeemOnce(index % 2 === 0 ? a : b, { user, code });
      const { subscriptionInvalidated: event } = await pushOf(redeemed, next);
      const shown = await Promise.all([holdings(a, user), holdings(b, user)]);
      const [held] = shown[0];
      expect(shown[1]).toEqual(shown[0]);
      expect(shown[0]).toHaveLength(1);
      expect(event).toMatchObject({ userId: user.userId, subscriptionId: held?.id, planId });
      ends.push(Date.parse(held?.expiresAt ?? ''));
    }
    done.abort();
    await Promise.all(reading);
    expectToGrow(ends, 12);
  });

  it('S0.16 is read new by every process from the answer on', async () => {
    const { codes, user } = await seeded(12);
    const ends: number[] = [];
    for (const [index, code] of codes.entries()) {
      await Promise.all(cluster.urls.map(async (url) => holdings(url, user)));
      expect((await redeemOnce(cluster.urls[index % 2] ?? '', { user, code })).outcome).toBe('COMMITTED');
      const [one, other] = await Promise.all(cluster.urls.map(async (url) => holdings(url, user)));
      expect(other).toEqual(one);
      ends.push(Date.parse(one?.[0]?.expiresAt ?? ''));
    }
    expectToGrow(ends, 12);
  });
});
