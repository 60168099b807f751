import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { migrateUp } from '../../src/migrations/migrate.js';
import { present } from '../../src/platform/assert.js';
import { databaseObstacle } from '../../src/platform/database/database-reach.js';
import { startCluster, type Cluster } from '../support/cluster.js';
import { GaleraServers } from '../support/galera-servers.js';
import { askOnce, expectAllRedeemed, note, recovery, sceneOf } from '../support/outage.js';
import {
  inParallel,
  PASSING_IN_OUTAGES,
  redeemAll,
  tallyOf,
  type Redeemed,
  type RedeemWish,
} from '../support/redeemers.js';
import { driftsOf, reconcilerOf } from '../support/reconciliation.js';
import { TcpForwarder } from '../support/tcp-forwarder.js';
import { expectExactly, expectPublished } from '../support/truth.js';

const library = process.env['TEST_GALERA'] ?? '';
const WHY_NOT = 'TEST_GALERA names no library of Galera: npm run test:galera fetches it and runs this file';
const REDEMPTIONS = 300;

describe('a Galera cluster with one writer', () => {
  let galera: GaleraServers;
  /** The address of the writer. */
  let line: TcpForwarder;
  let cluster: Cluster;
  beforeAll(async () => {
    if (library === '') return;
    galera = await GaleraServers.start(library, inject('databaseTemplate'));
    const first = galera.node(0);
    const url = new URL(first.server.url);
    line = await TcpForwarder.start(first.port);
    url.port = `${line.port}`;
    await migrateUp(url.href);
    cluster = await startCluster({
      databaseUrl: url.href,
      mayComplain: true,
      environment: { STORE_TIMEOUT_MS: '1000' },
    });
  });
  afterAll(async () => {
    if (library === '') return;
    await cluster?.close();
    await line?.close();
    await galera?.close();
  });

  it('X.24 S0.9 whose writer is killed under load loses no answer, spends no code twice, and has all on the other nodes', async (context) => {
    context.skip(library === '', WHY_NOT);
    const [first, second, third] = [galera.node(0), galera.node(1), galera.node(2)];
    for (const { said } of [...cluster.apis, cluster.worker])
      expect(said()).toContain('The database is a node of a Galera cluster: all processes must use one');
    const { tenantId, wishes } = await sceneOf(cluster, REDEMPTIONS);
    const later = await sceneOf(cluster, cluster.urls.length);
    const takeOver = async (): Promise<void> => {
      const from = performance.now();
      first.server.kill('SIGKILL');
      await second.isOneOf(2);
      // What it was sent is applied before it takes writes.
      await second.ask('set session wsrep_sync_wait = 15', 'select 1 from code limit 1');
      line.pointAt(second.port);
      note('writer of Galera killed', {
        'others agreed ms': Math.round(performance.now() - from),
        'redeemed again ms': await recovery(cluster.urls, later.wishes),
      });
    };
    const ask = async (wish: RedeemWish): Promise<Redeemed> => {
      const [answer] = await redeemAll(cluster.urls, [wish], PASSING_IN_OUTAGES);
      return present(answer, 'The answer to a wish');
    };
    const takenOver = Promise.withResolvers<void>();
    let committed = 0;
    const answers = await inParallel(wishes, async (wish) => {
      const answer = await ask(wish);
      if (answer.outcome === 'COMMITTED' && (committed += 1) === REDEMPTIONS / 4)
        takenOver.resolve(takeOver());
      if (!PASSING_IN_OUTAGES.includes(answer.outcome)) return answer;
      // Its patience has ended before the other nodes agreed.
      await takenOver.promise;
      return ask(wish);
    });
    await takenOver.promise;
    expect(tallyOf(answers)).toEqual({ COMMITTED: REDEMPTIONS });
    const truth = await expectExactly(cluster.world, tenantId, REDEMPTIONS, answers);
    await expectPublished(cluster.world, tenantId);
    const report = await reconcilerOf(cluster.world).reconciler.run({ tenantId });
    expect(driftsOf(report)).toEqual({});
    expect(report.verdict).toBe('CLEAN');
    const copied = await third.ask<{ id: string }>(
      'set session wsrep_sync_wait = 15',
      `select cast(id as char) as id from redemption where tenant_id = '${tenantId}' and status = 'COMMITTED'`,
    );
    expect(new Set(copied.map(({ id }) => id))).toEqual(new Set(truth.committed.map(({ id }) => id)));
  });

  it('X.24 S0.10 whose last node has no majority is away, and loses nothing until it goes on alone', async (context) => {
    context.skip(library === '', WHY_NOT);
    const [first, second, third] = [galera.node(0), galera.node(1), galera.node(2)];
    const scene = await sceneOf(cluster, 40);
    const half = scene.wishes.slice(0, 20);
    expect(tallyOf(await redeemAll(cluster.urls, half))).toEqual({ COMMITTED: 20 });
    for (const lost of [first, third]) lost.server.kill('SIGKILL');
    line.pointAt(second.port);
    await second.says({ wsrep_cluster_status: 'non-Primary' });
    for (const { outcome } of await askOnce(cluster.urls, scene.wishes.slice(20)))
      expect(outcome).toMatch(/^(?:SERVICE_UNAVAILABLE|PROCESSING)$/);
    const ready = await fetch(`${cluster.urls[0]}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([
      503,
      { status: 'unavailable', failing: ['database'] },
    ]);
    expect((await databaseObstacle(second.server.url))?.message).toMatch(/Galera without a majority: point/);
    await second.goOnAlone();
    await second.isOneOf(1);
    await expectAllRedeemed(cluster, scene);
    expect((await reconcilerOf(cluster.world).reconciler.run({ tenantId: scene.tenantId })).verdict).toBe(
      'CLEAN',
    );
  });
});
