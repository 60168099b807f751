import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { migrateUp } from '../../src/migrations/migrate.js';
import { startPrivateMariadb } from '../../src/platform/local-servers/private-mariadb.js';
import type { PrivateServer } from '../../src/platform/local-servers/private-server.js';
import { systemEm } from '../../src/platform/database/orm.js';
import { startCluster, type Cluster } from '../support/cluster.js';
import { operationsOf, outcomes, runAll, type OperationAnswer } from '../support/operations.js';
import {
  askOnce,
  expectAllRedeemed,
  expectRecovery,
  note,
  sceneOf,
  slowest,
  withLag,
} from '../support/outage.js';
import { COUNTS_REQUESTS, requestsTakenBy } from '../support/processes.js';
import { PASSING_IN_OUTAGES, redeemAll, tallyOf } from '../support/redeemers.js';
import { RedisServer } from '../support/redis-server.js';
import { placeDatabase } from '../support/test-servers.js';
import { PATIENT } from '../support/world.js';

/** The limits of docs/outages.md. */
const TOLD_MS_MAX = 2000;
/** Answers first; then one step waits 5 s for the database, and those after it 250 ms each. */
const STOPPED_MS_MAX = TOLD_MS_MAX + 5000 + 500;
const POOL_SIZE = 5;

let dataDir: string;
let database: PrivateServer;
let redis: RedisServer;
let cluster: Cluster;
beforeAll(async () => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'redeemkit-outage-'));
  placeDatabase(inject('databaseTemplate'), dataDir);
  redis = await RedisServer.start();
  database = await startPrivateMariadb({ dataDir, log: () => undefined });
  await migrateUp(database.url);
  cluster = await startCluster({
    redisUrl: redis.url,
    databaseUrl: database.url,
    mayComplain: true,
    environment: { STORE_TIMEOUT_MS: '1000', DATABASE_POOL_SIZE: `${POOL_SIZE}` },
  });
});
afterAll(async () => {
  await cluster?.close();
  await database?.stop();
  await redis?.close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function health(url: string, what: string): Promise<unknown> {
  const reply = await fetch(`${url}/${what}`);
  return { status: reply.status, body: await reply.json() };
}

/** Sessions of all clients at the server, this question's own left out. */
async function sessions(): Promise<number> {
  const [row] = await systemEm(cluster.world.stores.orm).execute<[{ count: number }]>(
    'select count(*) as count from information_schema.processlist where user = current_user() or user = ?',
    ['redeemkit'],
  );
  return row.count;
}

const allAre = (answers: readonly OperationAnswer[], outcome: string) =>
  Object.fromEntries(answers.map(({ name }) => [name, outcome]));

const OUTAGES = [
  {
    name: 'held, so that nothing is answered',
    begin: () => database.kill('SIGSTOP'),
    end: () => database.kill('SIGCONT'),
  },
  {
    name: 'killed, and down for two seconds',
    begin: () => database.kill('SIGKILL'),
    end: () => undefined,
  },
];

describe('while the database is', () => {
  it('paused every operation answers in time, and works again when it is back', async () => {
    const operations = await operationsOf(cluster);
    const before: OperationAnswer[] = [];
    const patient = await cluster.further(PATIENT);
    for (const operation of operations) before.push(...(await runAll([patient.url], [operation])));
    await patient.stop();
    expect(outcomes(before)).toEqual(allAre(before, 'OK'));
    const fresh = await operationsOf(cluster);
    database.kill('SIGSTOP');
    // Two waits, one behind the other, are each as late as everything is on this machine.
    const ask = async () => runAll(cluster.urls, fresh, 6);
    const { result: during, lagMs } = await withLag(cluster.urls, ask);
    const [url] = cluster.urls;
    expect(await health(url, 'healthz')).toMatchObject({ status: 200 });
    expect(await health(url, 'readyz')).toMatchObject({ status: 503, body: { failing: ['database'] } });
    database.kill('SIGCONT');
    const scene = await sceneOf(cluster, 2);
    const recoveredMs = await expectRecovery(cluster.urls, scene.wishes);
    note('database held, all operations', {
      'slowest answer ms': slowest(during),
      'recovered ms': recoveredMs,
    });
    expect(outcomes(during)).toEqual(allAre(during, 'SERVICE_UNAVAILABLE'));
    expect(slowest(during)).toBeLessThanOrEqual(TOLD_MS_MAX + 2 * lagMs);
    const repeatable = operations.filter(({ name }) => !/^create|^pause|^redeem|^preview/.test(name));
    const after = async () => outcomes(await runAll(cluster.urls, repeatable, 6));
    await expect.poll(after).toEqual(Object.fromEntries(repeatable.map(({ name }) => [name, 'OK'])));
    // Two API processes, a worker, the world beside them: two pools each.
    expect(await sessions()).toBeLessThanOrEqual(3 * (POOL_SIZE + 4) + 16);
    expect(await health(url, 'readyz')).toMatchObject({ status: 200 });
  });

  it.each(OUTAGES)(
    'S0.10 $name under load, 200 users redeem 200 codes, each exactly once',
    async (outage) => {
      const { tenantId, wishes } = await sceneOf(cluster, 200);
      const work = redeemAll(cluster.urls, wishes, PASSING_IN_OUTAGES);
      await pause(250);
      outage.begin();
      await pause(2500);
      outage.end();
      expect(tallyOf(await work)).toEqual({ COMMITTED: 200 });
      await expectAllRedeemed(cluster, { tenantId, wishes });
    },
  );

  it('S0.10 held, a process that is asked to stop waits once for it, ends with code 0, and nothing is lost', async () => {
    const leaving = await cluster.further(COUNTS_REQUESTS);
    const scene = await sceneOf(cluster, 40);
    const asked = askOnce([leaving.url], scene.wishes);
    // A request that the process has not seen yet would be cut off.
    await expect.poll(() => requestsTakenBy(leaving), { interval: 5 }).toBe(40);
    database.kill('SIGSTOP');
    await pause(50);
    const stop = async (): Promise<number> => {
      const from = performance.now();
      await leaving.stop().finally(() => database.kill('SIGCONT'));
      return Math.round(performance.now() - from);
    };
    const { result: stoppedMs, lagMs } = await withLag(cluster.urls, stop);
    const answers = await asked;
    note('stop while the database is held', {
      'stopped ms': stoppedMs,
      'slowest answer ms': slowest(answers),
    });
    expect(stoppedMs).toBeLessThanOrEqual(STOPPED_MS_MAX + 2 * lagMs);
    for (const { outcome } of answers) {
      expect(outcome).toMatch(/^(?:COMMITTED|PROCESSING|SERVICE_UNAVAILABLE)$/);
    }
    expect(answers).toHaveLength(40);
    await expectAllRedeemed(cluster, scene);
  });
});
