import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { RequestContext } from '../../src/graphql/context.js';
import { ownEvents, type FeedItem } from '../../src/graphql/own-events.js';
import { BATCH_PROGRESS_EVENTS, progressOf } from '../../src/codes/batch-progress.js';
import { CodeBatch } from '../../src/codes/code-batch.entity.js';
import { Code } from '../../src/codes/code.entity.js';
import type { Actor } from '../../src/graphql/actor.js';
import { isPeriodic, type Worker } from '../../src/platform/scheduling/job.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { ProductApi, refusalIn, staffOf } from '../support/product-api.js';
import { driftsOf, reconcilerOf } from '../support/reconciliation.js';
import { startSupervisedRedis, type SupervisedRedis } from '../support/supervised-redis.js';
import {
  emOf,
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUser,
  type SeededTenant,
  type World,
} from '../support/world.js';

/** The smallest that is made in three chunks, the last of which is not full. */
const COUNT = 10_001;
const DONE = { timeout: 80_000, interval: 50 };

let redis: SupervisedRedis;
let world: World;
let api: ProductApi;
let tenant: SeededTenant;
openBeforeAll(async (closing) => {
  // A private Redis: other files' workers would take the jobs.
  redis = await closing(startSupervisedRedis());
  world = await closing(openWorld({}, { redisUrl: redis.url }));
  api = new ProductApi(world);
});
beforeEach(async () => {
  tenant = await seedTenant(world);
});

/** Another process, which works at batches and nothing else. */
async function withWorker(work: (worker: World) => Promise<void>): Promise<void> {
  const worker = await openWorld({}, { redisUrl: redis.url });
  const generation = worker.app.jobs.find(({ name }) => name === 'code generation') as Worker;
  generation.start();
  try {
    await work(worker);
  } finally {
    await generation.stop();
    await worker.close();
  }
}

const GENERATE = `mutation ($input: GenerateCodesInput!) { generateCodes(input: $input) {
  batch { id status requested generated percentage startedAt finishedAt failure } codes errors { code } } }`;
const CANCEL = `mutation ($input: BatchIdInput!) { cancelBatch(input: $input) { batch { status generated } errors { code } } }`;

async function ordered(count = COUNT): Promise<{ campaignId: string; batchId: string }> {
  const { campaignId } = await seedCampaign(world, tenant, 1);
  const { data } = await api.ask(staffOf(tenant.tenantId), GENERATE, { input: { campaignId, count } });
  const { batch, codes, errors } = data['generateCodes'] as {
    batch: { id: string };
    codes: null;
    errors: [];
  };
  expect([codes, errors]).toEqual([null, []]);
  expect(batch).toMatchObject({
    status: 'PENDING',
    requested: count,
    generated: 0,
    percentage: 0,
    failure: null,
  });
  return { campaignId, batchId: batch.id };
}

async function batchOf(id: string): Promise<CodeBatch> {
  return emOf(world, tenant.tenantId).findOneOrFail(CodeBatch, { id }, { disableIdentityMap: true });
}

async function untilReady(id: string): Promise<void> {
  await vi.waitFor(async () => expect((await batchOf(id)).status).toBe('READY'), DONE);
}

describe('the job of a large batch', () => {
  it('S4.5 makes its codes, lists show how far it is, and each code can be redeemed', async () => {
    const { batchId } = await ordered();
    await withWorker(async () => untilReady(batchId));
    const { data } = await api.ask(
      staffOf(tenant.tenantId),
      '{ batches { items { id status requested generated percentage startedAt finishedAt } } }',
    );
    const { items } = data['batches'] as { items: Record<string, unknown>[] };
    const listed = items.find(({ id }) => id === batchId);
    expect(listed).toMatchObject({ status: 'READY', requested: COUNT, generated: COUNT, percentage: 100 });
    expect([typeof listed?.['startedAt'], typeof listed?.['finishedAt']]).toEqual(['string', 'string']);
    const em = emOf(world, tenant.tenantId);
    expect(await em.count(Code, { batchId })).toBe(COUNT);
    const [code] = await em.find(Code, { batchId }, { limit: 1, offset: COUNT - 1, orderBy: { id: 'asc' } });
    const userId = await seedUser(world, tenant.tenantId);
    const answer = await redeem(world, tenant.tenantId, userId, code?.codeText ?? '');
    expect(outcomeOf(answer)).toBe('COMMITTED');
  });

  it('S4.5 lets none of its codes be redeemed before all of them are there', async () => {
    const { batchId } = await ordered();
    const { tenantId } = tenant;
    let left = 1;
    await world.services.batchGeneration.run(
      { tenantId, batchId },
      { mayGoOn: () => left > 0, onChunk: () => void (left -= 1) },
    );
    const [code] = await emOf(world, tenantId).find(Code, { batchId }, { limit: 1 });
    const userId = await seedUser(world, tenantId);
    const early = await redeem(world, tenantId, userId, code?.codeText ?? '');
    // Its format may not be known yet, where no other campaign has it.
    expect(['CODE_INACTIVE', 'CODE_MALFORMED']).toContain(outcomeOf(early));
    await withWorker(async () => untilReady(batchId));
    expect(outcomeOf(await redeem(world, tenantId, userId, code?.codeText ?? ''))).toBe('COMMITTED');
  });

  it('S4.5 is cancelled through the API: the worker stops, and no code is left', async () => {
    const { batchId } = await ordered(200_000);
    await withWorker(async () => {
      await vi.waitFor(async () => expect((await batchOf(batchId)).generated).toBeGreaterThan(0), DONE);
      const input = { input: { batchId } };
      const { data } = await api.ask(staffOf(tenant.tenantId, 'OPERATOR'), CANCEL, input);
      expect(data['cancelBatch']).toMatchObject({ batch: { status: 'CANCELLED' }, errors: [] });
      const again = await api.ask(staffOf(tenant.tenantId), CANCEL, input);
      expect(refusalIn(again.data['cancelBatch'])).toBe('BATCH_CANCELLED');
      const auditor = await api.ask(staffOf(tenant.tenantId, 'AUDITOR'), CANCEL, input);
      expect(auditor.errors).toEqual(['FORBIDDEN']);
      await vi.waitFor(async () => expect((await batchOf(batchId)).generated).toBe(0), DONE);
    });
    expect(await emOf(world, tenant.tenantId).count(Code, { batchId })).toBe(0);
    const { codesIssued } = (await world.services.tenants.find(tenant.tenantId)) ?? {};
    expect(codesIssued).toBe(1);
  });

  it('S4.19 the metric equals the number of codes made, of small and large batches, and of no cancelled one', async () => {
    const before = await emOf(world, tenant.tenantId).count(Code, {});
    expect(before).toBe(0);
    const { campaignId, batchId } = await ordered();
    const cancelled = await ordered();
    await withWorker(async (worker) => {
      await world.services.batchChanges.cancel(tenant.tenantId, cancelled.batchId);
      await untilReady(batchId);
      const { generation } = worker.services;
      await generation.generate(tenant.tenantId, { campaignId, count: 123 });
      const count = async ({ services }: World): Promise<number> => {
        const { values } = await services.metrics.codesGenerated.get();
        return values.find(({ labels }) => labels.campaign === campaignId)?.value ?? 0;
      };
      const codes = await emOf(world, tenant.tenantId).count(Code, { campaignId });
      // The first code of the campaign was made by the other process.
      expect([await count(world), await count(worker)]).toEqual([1, COUNT + 123]);
      expect(codes).toBe(1 + COUNT + 123);
    });
  });

  it('S4.5 leaves rows, counters and quota in agreement after each step, also of a cancelled batch', async () => {
    const { tenantId } = tenant;
    const { batchId } = await ordered();
    const { batchGeneration, batchChanges } = world.services;
    const { reconciler } = reconcilerOf(world);
    const clean = async (): Promise<void> => {
      expect(driftsOf(await reconciler.run({ tenantId }))).toEqual({});
    };
    const oneChunk = async (): Promise<void> => {
      let left = 1;
      const run = { mayGoOn: () => left > 0, onChunk: () => void (left -= 1) };
      await batchGeneration.run({ tenantId, batchId }, run);
    };
    await clean();
    await oneChunk();
    await oneChunk();
    await clean();
    await batchChanges.cancel(tenantId, batchId);
    await clean();
    await oneChunk();
    await clean();
    await oneChunk();
    expect((await batchOf(batchId)).generated).toBe(0);
    await clean();
  });

  it('is found by the workers when Redis has lost it, and by none twice', async () => {
    const { batchId } = await ordered();
    await world.stores.redis.flushdb();
    const unfinished = world.app.jobs.find(({ name }) => name === 'unfinished batches');
    if (unfinished === undefined || !isPeriodic(unfinished)) throw new Error('There is no such job.');
    await withWorker(async () => {
      await unfinished.run();
      await unfinished.run();
      await untilReady(batchId);
    });
    expect(await emOf(world, tenant.tenantId).count(Code, { batchId })).toBe(COUNT);
  });

  it('costs Redis one entry of the queue and not one byte for each code', async () => {
    const keysBefore = await world.stores.redis.dbsize();
    const { batchId } = await ordered();
    await withWorker(async () => untilReady(batchId));
    // A few are of the queue itself, and of the tenant.
    expect((await world.stores.redis.dbsize()) - keysBefore).toBeLessThan(20);
    expect(await world.stores.redis.keys(`{${tenant.tenantId}}:code:*`)).toEqual([]);
  });
});

describe('batchProgress', () => {
  const source = ownEvents<{ readonly batchId?: string | null }>({
    types: BATCH_PROGRESS_EVENTS,
    items: (event, { batchId = null }) => progressOf(event, batchId),
    list: 'batches',
  });
  const subscribe = async (actor: Actor, args: { batchId?: string; after?: string }) =>
    source({ args, context: { actor, events: world.services.feed } as unknown as RequestContext });

  it('X.1 S4.5 tells the progress of one batch in order, live and again from a cursor, up to the last code', async () => {
    const { batchId } = await ordered();
    const actor = staffOf(tenant.tenantId);
    const items: FeedItem[] = [];
    const events = await subscribe(actor, { batchId });
    await withWorker(async () => {
      for await (const item of events) {
        items.push(item);
        if (item['status'] === 'READY') break;
      }
    });
    const counts = items.map(({ generated }) => Number(generated));
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(items.length).toBeGreaterThan(1);
    expect(items[0]).toMatchObject({ batchId, status: 'GENERATING', requested: COUNT, generated: 5000 });
    expect(items.at(-1)).toMatchObject({
      status: 'READY',
      generated: COUNT,
      percentage: 100,
      secondsLeft: 0,
    });
    const again: FeedItem[] = [];
    for await (const item of await subscribe(actor, { batchId, after: String(items[0]?.['cursor']) }))
      if (again.push(item) === items.length - 1) break;
    expect(again).toEqual(items.slice(1));
  });

  it('tells nothing of other batches to a caller who asks for one', async () => {
    const { campaignId } = await ordered();
    const { batch } = await world.services.generation.generate(tenant.tenantId, { campaignId, count: 2 });
    const own = await subscribe(staffOf(tenant.tenantId), { batchId: batch.id, after: '0' });
    const items: FeedItem[] = [];
    for await (const item of own) if (items.push(item) === 1) break;
    expect(items[0]).toMatchObject({ batchId: batch.id, status: 'READY', generated: 2 });
  });
});
