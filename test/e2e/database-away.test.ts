import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { migrateUp } from '../../src/migrations/migrate.js';
import { startPrivateMariadb } from '../../src/platform/local-servers/private-mariadb.js';
import { startPrivateRedis } from '../../src/platform/local-servers/private-redis.js';
import type { PrivateServer } from '../../src/platform/local-servers/private-server.js';
import { refusalLineOf, callCli } from '../support/cli.js';
import {
  signedUser,
  staffToken,
  startCluster,
  startBundled,
  type Cluster,
  type SignedUser,
} from '../support/cluster.js';
import { graphqlRequest, graphqlSubscribe } from '../support/graphql-client.js';
import type { RunningProcess } from '../support/processes.js';
import { redeemOnce, type Redeemed } from '../support/redeemers.js';
import { expectExactly } from '../support/truth.js';
import { seedCampaign, seedTenant, TEST_SECRETS } from '../support/world.js';
import { placeDatabase } from '../support/test-servers.js';

const ORDER = 'query ($no: ID!) { order(orderNo: $no) { orderNo type status isNew userId } }';
const SETTLED = 'subscription { redemptionSettled { status orderNo redemptionId useNo refusal winnerId } }';
const DEAD = '{ deadLetters { total items { orderNo userId reason attempts } } }';
const REDRIVE = `mutation ($no: ID) {
  redriveDeadLetters(input: { orderNo: $no }) { redriven errors { code } }
}`;
/** Jobs come back soon, and often enough for any outage of these tests. */
const QUICK = {
  PENDING_BACKOFF_MS: '200',
  PENDING_BACKOFF_MAX_MS: '500',
  STORE_TIMEOUT_MS: '700',
  REPLY_WITHIN_MS: '1400',
};

/** How often the database is stopped until all that a claim needs is still remembered. */
const STOPS_MAX = 10;
/** Product lines, plans and campaigns are read again after a second. */
const REMEMBERED_MS = 1050;

let dataDir: string;
let database: PrivateServer;
let redis: PrivateServer;
let cluster: Cluster;
/** The one for which it was read. */
let earlier: Redeemed;
beforeAll(async () => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'redeemkit-away-'));
  placeDatabase(inject('databaseTemplate'), dataDir);
  const quiet = { dataDir, durable: false, log: () => undefined };
  [database, redis] = await Promise.all([startPrivateMariadb(quiet), startPrivateRedis(quiet)]);
  await migrateUp(database.url);
  cluster = await startCluster({
    databaseUrl: database.url,
    redisUrl: redis.url,
    mayComplain: true,
    environment: QUICK,
  });
});
afterEach(() => database.kill('SIGCONT'));
afterAll(async () => {
  await cluster?.close();
  await Promise.all([database?.stop(), redis?.stop()]);
  rmSync(dataDir, { recursive: true, force: true });
});

interface Scene {
  readonly tenantId: string;
  readonly code: string;
  readonly user: SignedUser;
  readonly other: SignedUser;
}

async function sceneOf(): Promise<Scene> {
  const tenant = await seedTenant(cluster.world);
  const { codes } = await seedCampaign(cluster.world, tenant, 1, { rule: { useLimit: 2 } });
  const user = await signedUser(cluster.world, tenant.tenantId);
  const other = await signedUser(cluster.world, tenant.tenantId);
  return { tenantId: tenant.tenantId, code: codes[0] ?? '', user, other };
}

/** Stops the database just after another request has read all that a claim needs. */
async function stopDatabase(url: string, { other, code }: Scene): Promise<void> {
  await eventually(async () => {
    const first = await redeemOnce(url, { user: other, code });
    if (first.outcome === 'COMMITTED') earlier = first;
    expect(['COMMITTED', 'ALREADY_REDEEMED']).toContain(first.outcome);
  });
  // On a busy machine the first call takes longer than its reads are cached: this call reads all of it again.
  await pause(REMEMBERED_MS);
  expect((await redeemOnce(url, { user: other, code })).outcome).toBe('ALREADY_REDEEMED');
  database.kill('SIGSTOP');
}

async function redeemWithoutDatabase(url: string, scene: Scene): Promise<Redeemed & { tookMs: number }> {
  for (let attempt = 1; ; attempt += 1) {
    await stopDatabase(url, scene);
    const from = performance.now();
    const answer = await redeemOnce(url, { user: scene.user, code: scene.code, key: 'k' });
    // On a busy machine the cached reads may expire before the request needs them.
    if (answer.outcome !== 'SERVICE_UNAVAILABLE' || attempt === STOPS_MAX)
      return { ...answer, tookMs: performance.now() - from };
    database.kill('SIGCONT');
  }
}

/** The same, as soon as the claim is made: the answer is yet to come. */
async function claimWithoutDatabase(url: string, scene: Scene): Promise<{ answer: Promise<Redeemed> }> {
  for (let attempt = 1; ; attempt += 1) {
    await stopDatabase(url, scene);
    const answer = redeemOnce(url, { user: scene.user, code: scene.code, key: 'k' });
    const early = await answerBeforeClaim(scene, answer);
    if (early?.outcome !== 'SERVICE_UNAVAILABLE' || attempt === STOPS_MAX) return { answer };
    database.kill('SIGCONT');
  }
}

/** Null as soon as there is a claim. */
async function answerBeforeClaim({ tenantId }: Scene, answer: Promise<Redeemed>): Promise<Redeemed | null> {
  for (;;) {
    if ((await cluster.world.stores.redis.zcard(`{${tenantId}}:open`)) === 1) return null;
    const early = await Promise.race([answer, pause(10, null)]);
    if (early !== null) return early;
  }
}

async function orderOf(url: string, user: { readonly token: string }, no: string | null) {
  return graphqlRequest<{ order: { status: string } | null }>(url, {
    query: ORDER,
    variables: { no },
    token: user.token,
  });
}

async function eventually(look: () => Promise<void>): Promise<void> {
  await vi.waitFor(look, { timeout: 60_000, interval: 100 });
}

async function expectFinished(url: string, { tenantId, user }: Scene, answer: Redeemed): Promise<void> {
  await eventually(async () => {
    const { data } = await orderOf(url, user, answer.orderNo);
    expect(data?.order).toMatchObject({ orderNo: answer.orderNo, type: 'REDEMPTION', status: 'FINISHED' });
  });
  const retry = await redeemOnce(url, { ...answer.wish });
  expect(retry).toMatchObject({ outcome: 'COMMITTED', redemption: { id: answer.orderNo } });
  await expectExactly(cluster.world, tenantId, 2, [earlier, retry]);
}

describe('while the database is paused', () => {
  it('S0.10 a redemption is PROCESSING with its order number, and its outcome is pushed', async () => {
    const scene = await sceneOf();
    const [a, b] = cluster.urls;
    const events = await graphqlSubscribe<{ redemptionSettled: unknown }>(b, {
      token: scene.user.token,
      query: SETTLED,
    });
    const answer = await redeemWithoutDatabase(a, scene);
    expect(answer).toMatchObject({ outcome: 'PROCESSING', redemption: null });
    expect(answer.orderNo).toMatch(/^\d+$/);
    expect(answer.tookMs).toBeGreaterThan(1300);
    // Far less than the deadline of a claim.
    expect(answer.tookMs).toBeLessThan(10_000);

    // Nothing of it can be read by now; the same key is answered all the same, by either process.
    await pause(1100);
    for (const url of [a, b])
      await eventually(async () => {
        const retry = await redeemOnce(url, { ...answer.wish });
        expect(retry).toMatchObject({ outcome: 'PROCESSING', orderNo: answer.orderNo });
      });
    const keyless = await redeemOnce(a, { user: scene.user, code: scene.code });
    // Without the key it would be answered with a redemption that has one.
    expect(keyless).toMatchObject({ outcome: 'SERVICE_UNAVAILABLE', orderNo: null });
    const from = performance.now();
    const { errors } = await orderOf(a, scene.user, answer.orderNo);
    expect(errors?.[0]?.extensions.code).toBe('SERVICE_UNAVAILABLE');
    expect(performance.now() - from).toBeLessThan(10_000);

    database.kill('SIGCONT');
    expect((await events.next())?.data?.redemptionSettled).toEqual({
      status: 'COMMITTED',
      orderNo: answer.orderNo,
      redemptionId: answer.orderNo,
      useNo: 2,
      refusal: null,
      winnerId: null,
    });
    await events.close();
    await expectFinished(b, scene, answer);
  });

  it('S0.10 a process that is killed after PROCESSING leaves the redemption to a worker', async () => {
    const scene = await sceneOf();
    const process = await cluster.further();
    const answer = await redeemWithoutDatabase(process.url, scene);
    expect(answer.outcome).toBe('PROCESSING');
    await process.kill();
    database.kill('SIGCONT');
    await expectFinished(cluster.urls[0], scene, answer);
  });

  it('S0.10 a process that is asked to stop answers PROCESSING first, and ends in time', async () => {
    const scene = await sceneOf();
    const process = await cluster.further();
    const answering = await claimWithoutDatabase(process.url, scene);
    const from = performance.now();
    await process.stop();
    expect(performance.now() - from).toBeLessThan(20_000);
    const answer = await answering.answer;
    expect(answer.outcome).toBe('PROCESSING');
    database.kill('SIGCONT');
    await expectFinished(cluster.urls[0], scene, answer);
  });
});

describe('a dead letter', () => {
  it('S0.11 is seen by the own staff alone, and is settled when it is tried again', async () => {
    const scene = await sceneOf();
    const other = await sceneOf();
    const api = await startResigned();
    const a = api.url;
    const answer = await redeemWithoutDatabase(a, scene);
    expect(answer.outcome).toBe('PROCESSING');

    const staff = staffToken(cluster.world, scene.tenantId);
    const ask = async (token: string, query: string, no?: string | null) =>
      graphqlRequest(a, { token, query, variables: { no } });
    const letter = { orderNo: answer.orderNo, userId: scene.user.userId, attempts: 2 };
    await eventually(async () =>
      expect((await ask(staff, DEAD)).data).toEqual({
        deadLetters: { total: 1, items: [{ ...letter, reason: 'STORE_UNAVAILABLE' }] },
      }),
    );
    const foreign = staffToken(cluster.world, other.tenantId);
    const auditor = cluster.world.services.tokens.sign(
      { kind: 'STAFF', tenantId: scene.tenantId, staffId: 'auditor', role: 'AUDITOR' },
      900,
    );
    const [ofOthers, refused, ofUser, redrivenByAuditor, ofAuditor] = await Promise.all([
      ask(foreign, DEAD),
      ask(foreign, REDRIVE, answer.orderNo),
      ask(scene.user.token, DEAD),
      ask(auditor, REDRIVE),
      ask(auditor, DEAD),
    ]);
    expect(ofOthers.data).toEqual({ deadLetters: { total: 0, items: [] } });
    expect(refused.data).toEqual({
      redriveDeadLetters: { redriven: null, errors: [{ code: 'DEAD_LETTER_NOT_FOUND' }] },
    });
    expect(ofUser.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    expect(redrivenByAuditor.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    expect(ofAuditor.data).toMatchObject({ deadLetters: { total: 1 } });
    const metrics = await (await fetch(`${cluster.worker.url}/metrics`)).text();
    expect(metrics).toContain('redemption_pending_outcomes_total{outcome="DEAD"} 1');

    // That process still holds the commit; without it the letter alone settles the redemption.
    await api.kill();
    database.kill('SIGCONT');
    const [b] = cluster.urls;
    const { data } = await graphqlRequest(b, {
      token: staff,
      query: REDRIVE,
      variables: { no: answer.orderNo },
    });
    expect(data).toEqual({ redriveDeadLetters: { redriven: 1, errors: [] } });
    await expectFinished(b, scene, answer);
    expect((await graphqlRequest(b, { token: staff, query: DEAD })).data).toEqual({
      deadLetters: { total: 0, items: [] },
    });
  });

  it('S0.11 is listed and tried again from the command line', async () => {
    const scene = await sceneOf();
    const process = await startResigned();
    const answer = await redeemWithoutDatabase(process.url, scene);
    expect(answer.outcome).toBe('PROCESSING');
    const staff = staffToken(cluster.world, scene.tenantId);
    await eventually(async () => {
      const { data } = await graphqlRequest(process.url, { token: staff, query: DEAD });
      expect(data).toMatchObject({ deadLetters: { total: 1 } });
    });
    await process.kill();
    database.kill('SIGCONT');
    const environment = {
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      JWT_SECRET: TEST_SECRETS.jwtSecret,
      CODE_PEPPER: TEST_SECRETS.codePepper,
      STORE_TIMEOUT_MS: '10000',
    };
    const listed = await callCli(environment, ['pending', 'list', '--tenant', scene.tenantId, '--json']);
    expect(JSON.parse(listed.stdout)).toMatchObject({ total: 1, items: [{ orderNo: answer.orderNo }] });
    const args = ['pending', 'redrive', '--tenant', scene.tenantId];
    const refused = await refusalLineOf(callCli(environment, args));
    expect(refused.line).toMatch(/^ORDER_NO_OR_ALL_REQUIRED: /);
    expect(await callCli(environment, [...args, '--all'])).toEqual({ stdout: '1\n', stderr: '', status: 0 });
    await expectFinished(cluster.urls[0], scene, answer);
    const again = await callCli(environment, [...args, '--order', answer.orderNo ?? '']);
    expect(again).toMatchObject({ stdout: '', status: 1 });
  });
});

/** A process whose redemptions are given up after two attempts. */
async function startResigned(): Promise<RunningProcess> {
  return startBundled({
    role: 'api',
    databaseUrl: database.url,
    redisUrl: redis.url,
    environment: { ...QUICK, PENDING_ATTEMPTS: '2' },
  });
}
