import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  signedUser,
  staffToken,
  startCluster,
  startBundled,
  type Cluster,
  type SignedUser,
} from '../support/cluster.js';
import { graphqlSubscribe, type GraphqlAnswer, type GraphqlStream } from '../support/graphql-client.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { PASSING_IN_OUTAGES, redeemAll, redemptionsOf, tallyOf } from '../support/redeemers.js';
import { createScratchDatabase, type ScratchDatabase } from '../support/scratch-database.js';
import { startSupervisedRedis, type SupervisedRedis } from '../support/supervised-redis.js';
import { cursorNow, seedCampaign, seedTenant } from '../support/world.js';

const SETTLED = `subscription ($after: String) {
  redemptionSettled(after: $after) { eventId cursor redemptionId userId status }
}`;

interface Settled {
  readonly eventId: string;
  readonly cursor: string;
  readonly redemptionId: string;
  readonly userId: string;
}
type Data = { readonly redemptionSettled: Settled };

let redis: SupervisedRedis;
let database: ScratchDatabase;
let cluster: Cluster;
openBeforeAll(async (closing) => {
  redis = await closing(startSupervisedRedis());
  database = await closing(createScratchDatabase());
  const { databaseUrl } = database;
  cluster = await closing(startCluster({ databaseUrl, redisUrl: redis.url, mayComplain: true }));
});

/** A client that records its events until it leaves. */
interface Client {
  readonly told: Settled[];
  readonly failed: GraphqlAnswer<Data>[];
  leave(): Promise<void>;
}

async function join(url: string, token: string, after: string | null = null): Promise<Client> {
  const stream: GraphqlStream<Data> = await graphqlSubscribe<Data>(url, {
    token,
    query: SETTLED,
    variables: { after },
  });
  const told: Settled[] = [];
  const failed: GraphqlAnswer<Data>[] = [];
  const reading = (async () => {
    for (;;) {
      const answer = await stream.next().catch(() => null);
      if (answer === null) return;
      if (answer.data) told.push(answer.data.redemptionSettled);
      else failed.push(answer);
    }
  })();
  const leave = async (): Promise<void> => {
    await stream.close();
    await reading;
  };
  return { told, failed, leave };
}

/** Cuts the subscribers' connections repeatedly until the work is done: events are published while none listens. */
async function whileDeaf<T>(work: Promise<T>): Promise<T> {
  const over = new AbortController();
  const done = work.finally(() => over.abort());
  while (!over.signal.aborted) {
    await cluster.world.stores.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub').catch(() => undefined);
    await pause(20);
  }
  return done;
}

async function seeded(codeCount: number) {
  const tenant = await seedTenant(cluster.world);
  const { codes } = await seedCampaign(cluster.world, tenant, codeCount);
  const user = await signedUser(cluster.world, tenant.tenantId);
  const stranger = await signedUser(cluster.world, tenant.tenantId);
  return { ...tenant, codes, user, stranger };
}

async function redeem(user: SignedUser, codes: readonly string[]): Promise<string[]> {
  const answers = await redeemAll(
    cluster.urls,
    codes.map((code) => ({ user, code })),
    PASSING_IN_OUTAGES,
  );
  expect(
    Object.keys(tallyOf(answers)).filter(
      (outcome) => outcome !== 'COMMITTED' && outcome !== 'ALREADY_REDEEMED',
    ),
  ).toEqual([]);
  return [...redemptionsOf(answers)];
}

/** Each of the redemptions once, in the order of the cursors. */
function expectEachOnce(told: readonly Settled[], redemptions: readonly string[]): void {
  const byText = (a: string, b: string): number => a.localeCompare(b);
  expect(told.map((event) => event.redemptionId).toSorted(byText)).toEqual(redemptions.toSorted(byText));
  expect(new Set(told.map((event) => event.eventId)).size).toBe(redemptions.length);
  const cursors = told.map((event) => Number(event.cursor));
  expect(cursors).toEqual(cursors.toSorted((a, b) => a - b));
}

describe('a client that was away', () => {
  it('X.1 catches up from its cursor at another process, each event once and in order, while more are committed', async () => {
    const { tenantId, codes, user, stranger } = await seeded(340);
    const [a, b] = cluster.urls;
    const before = await join(a, user.token, await cursorNow(cluster.world, tenantId));
    const first = await redeem(user, codes.slice(0, 1));
    await expect.poll(() => before.told.length, { timeout: 60_000 }).toBe(1);
    await before.leave();

    const missed = await redeem(user, codes.slice(1, 201));
    const strangers = await redeem(stranger, codes.slice(201, 240));
    const committing = redeem(user, codes.slice(240));
    await pause(20);
    const cursor = before.told.at(-1)?.cursor ?? null;
    const after = await join(b, user.token, cursor);
    const staff = await join(a, staffToken(cluster.world, tenantId), cursor);
    const later = await committing;

    await expect.poll(() => after.told.length, { timeout: 60_000 }).toBe(300);
    await expect.poll(() => staff.told.length, { timeout: 60_000 }).toBe(339);
    await pause(300);
    expectEachOnce([...before.told, ...after.told], [...first, ...missed, ...later]);
    expectEachOnce(staff.told, [...missed, ...strangers, ...later]);
    expect(new Set(after.told.map((event) => event.userId))).toEqual(new Set([user.userId]));
    expect([...after.failed, ...staff.failed]).toEqual([]);
    await Promise.all([after.leave(), staff.leave()]);
  });

  it.each([
    ['no number', 'abc', 'CURSOR_MALFORMED'],
    ['nothing', '', 'CURSOR_MALFORMED'],
    ['negative', '-1', 'CURSOR_MALFORMED'],
    ['a fraction', '1.5', 'CURSOR_MALFORMED'],
    ['written another way', '01', 'CURSOR_MALFORMED'],
    ['in digits of another script', '١٢', 'CURSOR_MALFORMED'],
    ['with a line feed', '1\n', 'CURSOR_MALFORMED'],
    ['huge', '9'.repeat(400), 'CURSOR_MALFORMED'],
    ['from the future', '999999999999999', 'CURSOR_UNKNOWN'],
  ])('X.1 gets the reason why a cursor that is %s is refused', async (_kind, after, code) => {
    const { user } = await seeded(1);
    const stream = await graphqlSubscribe(cluster.urls[0], {
      token: user.token,
      query: 'subscription ($after: String) { subscriptionInvalidated(after: $after) { eventId } }',
      variables: { after },
    });
    expect(await stream.next()).toMatchObject({ errors: [{ extensions: { code } }] });
    await stream.close();
  });
});

describe('a client that stays', () => {
  it('X.1 I7 misses nothing and hears nothing twice when Redis is killed and comes back', async () => {
    const { tenantId, codes, user } = await seeded(120);
    const client = await join(cluster.urls[1], user.token, await cursorNow(cluster.world, tenantId));
    const staff = await join(cluster.urls[0], staffToken(cluster.world, tenantId), '0');
    const expected: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const redeeming = redeem(user, codes.slice(round * 40, round * 40 + 40));
      await pause(30);
      redis.kill('SIGKILL');
      expected.push(...(await whileDeaf(redeeming)));
    }
    await expect.poll(() => client.told.length, { timeout: 60_000 }).toBeGreaterThanOrEqual(120);
    await expect.poll(() => staff.told.length, { timeout: 60_000 }).toBeGreaterThanOrEqual(120);
    await pause(1500);
    expectEachOnce(client.told, expected);
    expectEachOnce(staff.told, expected);
    expect([...client.failed, ...staff.failed]).toEqual([]);
    await Promise.all([client.leave(), staff.leave()]);
  });

  it('X.1 I7 gets each event once when the worker is killed repeatedly', async () => {
    const { tenantId, codes, user } = await seeded(160);
    const client = await join(cluster.urls[1], user.token, await cursorNow(cluster.world, tenantId));
    const staff = await join(cluster.urls[0], staffToken(cluster.world, tenantId), '0');
    const expected: string[] = [];
    let worker = cluster.worker;
    for (let round = 0; round < 4; round += 1) {
      const redeeming = redeem(user, codes.slice(round * 40, round * 40 + 40));
      // At a random point of its work.
      await expect.poll(() => client.told.length).toBeGreaterThan(round * 40);
      await worker.kill();
      const environment = { STORE_TIMEOUT_MS: '10000' };
      worker = await startBundled({
        role: 'worker',
        databaseUrl: database.databaseUrl,
        redisUrl: redis.url,
        environment,
      });
      expected.push(...(await redeeming));
    }
    await expect.poll(() => [client.told.length, staff.told.length], { timeout: 60_000 }).toEqual([160, 160]);
    await pause(300);
    expectEachOnce(client.told, expected);
    expectEachOnce(staff.told, expected);
    await Promise.all([client.leave(), staff.leave()]);
    await worker.stop();
  });
});
