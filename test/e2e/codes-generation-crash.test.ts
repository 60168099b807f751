import { expect, it, vi } from 'vitest';
import { Code } from '../../src/codes/code.entity.js';
import { signedUsers, startCluster, staffToken, startBundled, type Cluster } from '../support/cluster.js';
import { graphqlRequest, graphqlSubscribe } from '../support/graphql-client.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { startOwnStores, type OwnStores } from '../support/own-stores.js';
import type { RunningProcess } from '../support/processes.js';
import { redeemAll, tallyOf } from '../support/redeemers.js';
import { emOf, seedCampaign, seedTenant } from '../support/world.js';

const COUNT = 100_000;
const KILLS = 3;
const DONE = { timeout: 90_000, interval: 20 };
const PROGRESS = `subscription ($batchId: ID) { batchProgress(batchId: $batchId) {
  eventId cursor status requested generated percentage codesPerSecond secondsLeft } }`;
const GENERATE = `mutation ($input: GenerateCodesInput!) { generateCodes(input: $input) {
  batch { id status } codes replayed errors { code message } } }`;

interface Progress {
  readonly eventId: string;
  readonly status: string;
  readonly requested: number;
  readonly generated: number;
  readonly percentage: number;
}

let stores: OwnStores;
let cluster: Cluster;
openBeforeAll(async (closing) => {
  // Other files' workers would take the job of a killed one.
  stores = await closing(startOwnStores());
  cluster = await closing(startCluster({ ...stores, mayComplain: true }));
});

async function newWorker(): Promise<RunningProcess> {
  const { databaseUrl, redisUrl } = stores;
  return startBundled({
    role: 'worker',
    databaseUrl,
    redisUrl,
    environment: { STORE_TIMEOUT_MS: '10000' },
  });
}

it('S4.5 100,000 codes are all there, once each, though the worker is killed again and again', async () => {
  const { world, urls } = cluster;
  const tenant = await seedTenant(world);
  const { tenantId } = tenant;
  const { campaignId } = await seedCampaign(world, tenant, 1);
  const token = staffToken(world, tenantId);
  const input = { campaignId, count: COUNT, idempotencyKey: 'hundred-thousand' };
  const order = async (url: string) => {
    const { data } = await graphqlRequest<{ generateCodes: { batch: { id: string }; replayed: boolean } }>(
      url,
      {
        token,
        query: GENERATE,
        variables: { input },
      },
    );
    return data?.generateCodes;
  };
  const events = await graphqlSubscribe<{ batchProgress: Progress }>(urls[1], { token, query: PROGRESS });
  const first = await order(urls[0]);
  const batchId = first?.batch.id ?? '';
  /** What the row says, and what there is, at one instant. */
  const stored = async () => {
    const [row] = await emOf(world, tenantId).execute<[{ told: number; codes: number }]>(
      `select b.\`generated\` as told, (
          select count(*) from code c force index (ix_code__batch) where c.batch_id = b.id and c.tenant_id = b.tenant_id
        ) as codes from code_batch b where b.tenant_id = ? and b.id = ?`,
      [tenantId, batchId],
    );
    expect(row.codes, 'stored as reported').toBe(row.told);
    return row.told;
  };

  const workers = [cluster.worker];
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const before = await stored();
    await vi.waitFor(async () => expect(await stored()).toBeGreaterThan(before), DONE);
    await workers.at(-1)?.kill();
    expect(await stored()).toBeLessThan(COUNT);
    workers.push(await newWorker());
  }
  // Each look counts all codes.
  await vi.waitFor(async () => expect(await stored()).toBe(COUNT), { ...DONE, interval: 250 });

  const told: Progress[] = [];
  while (told.at(-1)?.status !== 'READY') {
    const event = await events.next();
    if (!event?.data) throw new Error(`No event: ${JSON.stringify(event?.errors)}`);
    if (event.data.batchProgress.requested === COUNT) told.push(event.data.batchProgress);
  }
  await events.close();
  expect(new Set(told.map(({ eventId }) => eventId)).size).toBe(told.length);
  expect(told.map((each) => each.generated)).toEqual(
    told.map((each) => each.generated).toSorted((a, b) => a - b),
  );
  expect(told.at(-1)).toMatchObject({ generated: COUNT, percentage: 100, secondsLeft: 0 });

  const em = emOf(world, tenantId);
  const [counted] = await em.execute<{ rows: number; digests: number }[]>(
    'select count(*) as `rows`, count(distinct code_digest) as digests from code where tenant_id = ? and batch_id = ?',
    [tenantId, batchId],
  );
  expect(counted).toEqual({ rows: COUNT, digests: COUNT });
  const tenants = await world.services.tenants.find(tenantId);
  expect(tenants?.codesIssued).toBe(COUNT + 1);
  expect(await order(urls[1])).toMatchObject({ batch: { id: batchId }, replayed: true });

  const some = await Promise.all(
    [0, COUNT / 2, COUNT - 1].map(async (offset) =>
      em.find(Code, { batchId }, { fields: ['codeText'], orderBy: { id: 'asc' }, limit: 1, offset }),
    ),
  );
  const texts = some.map(([row]) => row?.codeText ?? '');
  const users = await signedUsers(world, tenantId, texts.length);
  const wishes = users.map((user, at) => ({ user, code: texts[at] ?? '' }));
  expect(tallyOf(await redeemAll(urls, wishes))).toEqual({ COMMITTED: texts.length });
  await workers.at(-1)?.stop();
}, 300_000);
