import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Code } from '../../src/codes/code.entity.js';
import { Tenant } from '../../src/tenancy/tenant.entity.js';
import { beginImport, fileRequest, foreignCodes, importState } from '../support/code-files.js';
import { staffToken, startCluster, startBundled, type Cluster } from '../support/cluster.js';
import { DatabaseProxy } from '../support/database-proxy.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { startOwnStores, type OwnStores } from '../support/own-stores.js';
import { emOf, seedCampaign, seedTenant } from '../support/world.js';

/** Far more than are read, or wait to be read, when a process is killed. */
const LINES = 30_000;
const PATIENCE_MS = 90_000;

let stores: OwnStores;
let cluster: Cluster;
openBeforeAll(async (closing) => {
  stores = await closing(startOwnStores());
  cluster = await closing(startCluster({ ...stores, mayComplain: true }));
});

it('X.12 an import whose worker is killed in the middle is finished by another one: every line once', async () => {
  const { world, urls, worker } = cluster;
  const [url] = urls;
  const tenant = await seedTenant(world);
  const { tenantId } = tenant;
  const { campaignId } = await seedCampaign(world, tenant, 1);
  const token = staffToken(world, tenantId);
  const { codeImport } = await beginImport(url, token, { campaignId, idempotencyKey: 'k' });
  const id = codeImport?.id ?? '';
  const reply = await fileRequest(url, token, `/api/imports/${id}`, foreignCodes(LINES).join('\n'));
  expect(reply.status).toBe(202);

  const giveUp = AbortSignal.timeout(PATIENCE_MS);
  const until = async (isReached: (state: Awaited<ReturnType<typeof importState>>) => boolean) => {
    for (;;) {
      const state = await importState(url, token, id);
      if (isReached(state)) return state;
      giveUp.throwIfAborted();
      await pause(20);
    }
  };
  const before = await until(({ linesDone }) => linesDone > 0);
  await worker.kill();
  // Otherwise nothing would be left to continue.
  expect(before.linesDone).toBeLessThan(LINES);
  const { databaseUrl, redisUrl } = stores;
  const second = await startBundled({ role: 'worker', databaseUrl, redisUrl });
  const done = await until(({ finishedAt }) => finishedAt !== null);
  expect(done).toMatchObject({ linesDone: LINES, imported: LINES, refused: 0 });
  const em = emOf(world, tenantId);
  expect(await em.count(Code, { batchId: id })).toBe(LINES);
  expect((await em.findOneOrFail(Tenant, { id: tenantId })).codesIssued).toBe(LINES + 1);
  await second.stop();
});

it('X.12 an export whose process is killed in the middle is no whole file, and the next one is', async () => {
  const { world, urls } = cluster;
  const tenant = await seedTenant(world);
  const { tenantId } = tenant;
  const { campaignId } = await seedCampaign(world, tenant, 1);
  const { codeImports } = world.services;
  const { id } = await codeImports.begin(tenantId, { campaignId, idempotencyKey: 'k' });
  const file = Readable.from([Buffer.from(foreignCodes(LINES).join('\n'))]);
  await codeImports.run(tenantId, id, file);
  const token = staffToken(world, tenantId);
  const path = `/api/codes.csv?batchId=${id}`;
  const proxy = await DatabaseProxy.open(stores.databaseUrl);
  const dying = await cluster.further({ DATABASE_URL: proxy.url });
  let pages = 0;
  const secondPage = proxy.hold(
    tenantId,
    ({ side, statements }) =>
      side === 'REQUEST' &&
      statements.some((statement) => statement.includes('ix_code__batch')) &&
      (pages += 1) === 2,
  );
  const broken = await fileRequest(dying.url, token, path);
  const reader = broken.body?.getReader();
  expect((await reader?.read())?.done).toBe(false);
  await secondPage.reached;
  await dying.kill();
  secondPage.letGo('RESET');
  await proxy.close();
  const toTheEnd = async (): Promise<void> => {
    while ((await reader?.read())?.done === false);
  };
  await expect(toTheEnd()).rejects.toThrow();
  const whole = await fileRequest(urls[0], token, path);
  expect((await whole.text()).split('\r\n')).toHaveLength(1 + LINES + 1);
});
