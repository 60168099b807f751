import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { CodeBatch } from '../../src/codes/code-batch.entity.js';
import type { BatchGeneration, BatchKey } from '../../src/codes/batch-generation.service.js';
import { Code } from '../../src/codes/code.entity.js';
import { SealedCodesRow } from '../../src/codes/sealed-codes.entity.js';
import { Campaign } from '../../src/campaigns/campaign.entity.js';
import { OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import { Tenant } from '../../src/tenancy/tenant.entity.js';
import { openCodesWorld, refusalOf, ruleOf, type CodesWorld } from '../support/codes-world.js';

let world: CodesWorld;
/** One guess in ten may hit, so that six digits have room for 100,000 codes. */
let lenient: CodesWorld;
beforeAll(async () => {
  world = await openCodesWorld(inject('databaseUrl'));
  lenient = await openCodesWorld(inject('databaseUrl'), 10);
});
afterAll(async () => {
  await world?.close();
  await lenient?.close();
});

/** The smallest that a job makes in three chunks. */
const LARGE = 10_001;
/** Small chunks show the same as those of the product. */
const COUNT = 1201;
const CHUNK = 500;
const newProcess = (): BatchGeneration => world.newBatchGeneration(CHUNK);

/** A batch that no worker has begun. */
async function ordered(input: Parameters<CodesWorld['addCampaign']>[1] = {}, quota = 0) {
  const tenantId = await world.addTenant(quota);
  const campaign = await world.addCampaign(tenantId, input);
  const batch = await world.reserveBatch(campaign, COUNT);
  expect([batch.status, batch.generated]).toEqual(['PENDING', 0]);
  return { tenantId, campaignId: campaign.id, batchId: batch.id, key: { tenantId, batchId: batch.id } };
}

const toTheEnd = { mayGoOn: () => true };

/** Lets a process write this number of chunks, and stop. */
async function chunks(key: BatchKey, count: number, process = newProcess()) {
  let left = count;
  return process.run(key, { mayGoOn: () => left > 0, onChunk: () => void (left -= 1) });
}

/** Four processes work at a batch at once, until nothing is left to do. */
async function byFourProcesses(key: BatchKey): Promise<void> {
  const untilFinished = async (process: BatchGeneration): Promise<void> => {
    while ((await process.run(key, toTheEnd)) !== 'FINISHED');
  };
  await Promise.all(Array.from({ length: 4 }, async () => untilFinished(newProcess())));
}

async function stored({ tenantId, batchId }: BatchKey) {
  const em = world.em(tenantId);
  const batch = await em.findOneOrFail(CodeBatch, { id: batchId }, { disableIdentityMap: true });
  const { codesIssued } = await em.findOneOrFail(Tenant, { id: tenantId }, { disableIdentityMap: true });
  return { batch, codes: await em.count(Code, { batchId }), issued: codesIssued };
}

async function eventsOf(tenantId: string) {
  return world.em(tenantId).find(OutboxEvent, {}, { orderBy: { seq: 'asc' } });
}

describe('a large batch', () => {
  it('S4.5 is stored in chunks, and its row tells exactly what is stored after each', async () => {
    const tenantId = await world.addTenant();
    const { id: campaignId } = await world.addCampaign(tenantId);
    const ordering = await world.generation.generate(tenantId, { campaignId, count: LARGE });
    expect([ordering.batch.status, ordering.batch.generated, ordering.codes]).toEqual(['PENDING', 0, null]);
    const key = { tenantId, batchId: ordering.batch.id };
    expect((await stored(key)).issued).toBe(LARGE);
    expect(world.enqueued).toContain(key.batchId);
    const told: number[] = [];
    for (const [generated, status] of [
      [5000, 'GENERATING'],
      [10_000, 'GENERATING'],
      [LARGE, 'READY'],
    ] as const) {
      await chunks(key, 1, world.newBatchGeneration());
      const { batch, codes, issued } = await stored(key);
      expect([batch.status, batch.generated, codes, issued]).toEqual([status, generated, generated, LARGE]);
      told.push(batch.generated);
    }
    const distinct = await world
      .em(tenantId)
      .find(Code, { batchId: key.batchId }, { fields: ['codeDigest', 'codeText'] });
    expect(new Set(distinct.map(({ codeDigest }) => codeDigest)).size).toBe(LARGE);
    expect(new Set(distinct.map(({ codeText }) => codeText)).size).toBe(LARGE);
    const own = (await eventsOf(tenantId)).filter(
      ({ type }) => type === 'batch_progress' || type === 'codes_generated',
    );
    expect(own.map(({ type, payload }) => [type, payload['generated'] ?? payload['count']])).toEqual([
      ['batch_progress', told[0]],
      ['batch_progress', told[1]],
      ['codes_generated', LARGE],
    ]);
    expect(world.generated.filter(([id]) => id === campaignId)).toEqual([[campaignId, LARGE]]);
    expect(await newProcess().run(key, toTheEnd)).toBe('FINISHED');
    expect((await stored(key)).codes).toBe(LARGE);
  });

  it('S4.5 worked at by four processes at once has each code once, and the count that was asked for', async () => {
    const { campaignId, key } = await ordered();
    await byFourProcesses(key);
    const { batch, codes, issued } = await stored(key);
    expect([batch.status, batch.generated, codes, issued]).toEqual(['READY', COUNT, COUNT, COUNT]);
    expect(world.generated.filter(([id]) => id === campaignId)).toEqual([[campaignId, COUNT]]);
  });

  it('is made by the rule that its campaign had when the codes were asked for', async () => {
    const { tenantId, campaignId, key } = await ordered({ rule: ruleOf({ prefix: 'OLD-', validDays: 10 }) });
    const { rule } = await world.em(tenantId).findOneOrFail(Campaign, { id: campaignId });
    await world
      .em(tenantId)
      .nativeUpdate(Campaign, { id: campaignId }, { rule: { ...rule, prefix: 'NEW-' } });
    await newProcess().run(key, toTheEnd);
    const { batch } = await stored(key);
    const em = world.em(tenantId);
    expect(await em.count(Code, { batchId: key.batchId, codeText: { $like: 'OLD-%' } })).toBe(COUNT);
    const expiresAt = new Date(batch.createdAt.getTime() + 10 * 86_400_000);
    expect(await em.count(Code, { batchId: key.batchId, expiresAt, issuedAt: batch.createdAt })).toBe(COUNT);
  });

  it('S4.2 reserves its quota ahead, and answers the same batch to the same key', async () => {
    const tenantId = await world.addTenant(LARGE);
    const { id: campaignId } = await world.addCampaign(tenantId);
    const input = { campaignId, count: LARGE, idempotencyKey: 'large' };
    const answers = await Promise.all(
      Array.from({ length: 10 }, async () => world.generation.generate(tenantId, input)),
    );
    expect(new Set(answers.map(({ batch }) => batch.id)).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await refusalOf(world.generation.generate(tenantId, { campaignId, count: 1 }))).toBe(
      'TENANT_QUOTA_EXCEEDED',
    );
  });

  it('S4.4 counts the codes still to be made among those of the campaign', async () => {
    const tenantId = await world.addTenant();
    const { id: campaignId } = await lenient.addCampaign(tenantId, {
      rule: ruleOf({ codeType: 'RANDOM_NUM', length: 6 }),
    });
    await lenient.generation.generate(tenantId, { campaignId, count: 60_000 });
    expect(await refusalOf(lenient.generation.generate(tenantId, { campaignId, count: 40_001 }))).toBe(
      'CODE_SPACE_TOO_SMALL',
    );
    await lenient.generation.generate(tenantId, { campaignId, count: 40_000 });
  });

  it('S0.1 draws codes again that exist already, however many there are', async () => {
    const tenantId = await world.addTenant();
    // 10,000 of 10^6: by chance fifty pairs are the same.
    const FOURTH = 2500;
    const keys = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const rule = ruleOf({ codeType: 'RANDOM_NUM', length: 6 });
        const campaign = await lenient.addCampaign(tenantId, { rule });
        return { tenantId, batchId: (await lenient.reserveBatch(campaign, FOURTH)).id };
      }),
    );
    await Promise.all(keys.map(async (key) => newProcess().run(key, toTheEnd)));
    for (const key of keys)
      expect((await stored(key)).batch).toMatchObject({ status: 'READY', generated: FOURTH });
    expect(await world.em(tenantId).count(Code, {})).toBe(4 * FOURTH);
  });
});

describe('a batch that is cancelled', () => {
  it('S4.5 gives its quota back at once, and its codes are removed chunk by chunk', async () => {
    const { tenantId, campaignId, key } = await ordered();
    await chunks(key, 2);
    const cancelled = await world.batchChanges.cancel(tenantId, key.batchId);
    expect([cancelled.status, cancelled.generated]).toEqual(['CANCELLED', 2 * CHUNK]);
    expect((await stored(key)).issued).toBe(0);
    await chunks(key, 1);
    const half = await stored(key);
    expect([half.batch.generated, half.codes]).toEqual([CHUNK, CHUNK]);
    expect(await newProcess().run(key, toTheEnd)).toBe('FINISHED');
    const { batch, codes, issued } = await stored(key);
    expect([batch.status, batch.generated, codes, issued]).toEqual(['CANCELLED', 0, 0, 0]);
    expect(world.generated.some(([id]) => id === campaignId)).toBe(false);
    const last = (await eventsOf(tenantId)).findLast(({ type }) => type === 'batch_progress');
    expect(last?.payload).toMatchObject({ batchId: key.batchId, status: 'CANCELLED', generated: 2 * CHUNK });
  });

  it('S4.5 is removed by four processes at once, and neither counter goes below the codes', async () => {
    const { tenantId, key } = await ordered();
    await chunks(key, 2);
    await world.batchChanges.cancel(tenantId, key.batchId);
    await byFourProcesses(key);
    expect(await stored(key)).toMatchObject({
      batch: { status: 'CANCELLED', generated: 0 },
      codes: 0,
      issued: 0,
    });
    const totals = await world
      .em(tenantId)
      .execute<{ total: number }[]>('select total from code_total where batch_id = ?', [key.batchId]);
    expect(totals).toEqual([{ total: 0 }]);
  });

  it('S4.5 while a worker writes its codes keeps none, whatever moment it is', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { tenantId, key } = await ordered();
      const working = newProcess().run(key, toTheEnd);
      await pause(round * 10);
      const outcome = await world.batchChanges.cancel(tenantId, key.batchId).then(
        () => 'CANCELLED',
        () => 'READY',
      );
      await working;
      await newProcess().run(key, toTheEnd);
      const { batch, codes, issued } = await stored(key);
      const left = outcome === 'READY' ? COUNT : 0;
      expect([batch.status, batch.generated, codes, issued]).toEqual([outcome, left, left, left]);
    }
  }, 120_000);

  it('does not give back the quota of codes that were deleted before, nor of codes deleted after', async () => {
    const { tenantId, key } = await ordered();
    await chunks(key, 1);
    const rows = await world.em(tenantId).find(Code, { batchId: key.batchId }, { limit: 5, fields: ['id'] });
    const ids = rows.map(({ id }) => id);
    await world.codeChanges.delete(tenantId, ids.slice(0, 3));
    expect((await stored(key)).issued).toBe(COUNT - 3);
    await world.batchChanges.cancel(tenantId, key.batchId);
    expect((await stored(key)).issued).toBe(0);
    await world.codeChanges.delete(tenantId, ids.slice(3));
    await newProcess().run(key, toTheEnd);
    expect(await stored(key)).toMatchObject({ codes: 0, issued: 0 });
  });

  it('is refused another end, by the reason that applies', async () => {
    const { tenantId, campaignId, key } = await ordered();
    const cancel = async (id: string) => refusalOf(world.batchChanges.cancel(tenantId, id));
    await world.batchChanges.cancel(tenantId, key.batchId);
    expect(await cancel(key.batchId)).toBe('BATCH_CANCELLED');
    const { batch } = await world.generation.generate(tenantId, { campaignId, count: 2 });
    expect(await cancel(batch.id)).toBe('BATCH_READY');
    await world.batchChanges.void(tenantId, batch.id);
    expect(await cancel(batch.id)).toBe('BATCH_VOIDED');
    expect(await cancel('1')).toBe('BATCH_NOT_FOUND');
    const other = await ordered();
    expect(await cancel(other.batchId)).toBe('BATCH_NOT_FOUND');
    await world.batchChanges.fail(other.tenantId, other.batchId, 'RETRIES_EXHAUSTED');
    expect((await stored(other.key)).batch).toMatchObject({ status: 'FAILED', failure: 'RETRIES_EXHAUSTED' });
    expect((await stored(other.key)).issued).toBe(0);
    expect(await refusalOf(world.batchChanges.cancel(other.tenantId, other.batchId))).toBe('BATCH_FAILED');
  });

  it('is what voiding a batch under way, or deleting its campaign, comes to', async () => {
    const voided = await ordered();
    await chunks(voided.key, 1);
    await world.batchChanges.void(voided.tenantId, voided.batchId);
    const deleted = await ordered();
    await chunks(deleted.key, 1);
    await world.campaignChanges.delete(deleted.tenantId, deleted.campaignId, null);
    for (const { key } of [voided, deleted]) {
      expect((await stored(key)).issued).toBe(0);
      await newProcess().run(key, toTheEnd);
      const { batch, codes } = await stored(key);
      expect([batch.status, batch.generated, codes]).toEqual(['CANCELLED', 0, 0]);
      expect(batch.voidedAt).not.toBeNull();
    }
  });
});

describe('codes of a large batch of a HASHED campaign', () => {
  const hashed = { codeVisibility: 'HASHED' } as const;
  const parts = async (key: BatchKey, max = Infinity): Promise<(readonly string[])[]> => {
    const taken: (readonly string[])[] = [];
    for await (const codes of world.batchCodes.parts(key)) if (taken.push(codes) >= max) break;
    return taken;
  };

  it('X.8 are stored as digests, wait encrypted, and are handed out once, in the order of their ids', async () => {
    const { tenantId, batchId, key } = await ordered(hashed);
    await newProcess().run(key, toTheEnd);
    const em = world.em(tenantId);
    expect(await em.count(Code, { batchId, codeText: null })).toBe(COUNT);
    const waiting = await em.find(SealedCodesRow, { batchId }, { disableIdentityMap: true });
    expect(waiting.map(({ firstNo }) => firstNo)).toEqual([0, CHUNK, 2 * CHUNK]);
    const codes = (await parts(key)).flat();
    expect(codes).toHaveLength(COUNT);
    for (const { sealed } of waiting) expect(Buffer.from(sealed).includes(codes[0] ?? '')).toBe(false);
    const rows = await em.find(Code, { batchId }, { orderBy: { id: 'asc' }, fields: ['lastFour'] });
    expect(rows.map(({ lastFour }) => lastFour)).toEqual(codes.map((code) => code.slice(-4)));
    expect(await em.count(SealedCodesRow, { batchId })).toBe(0);
    expect(await parts(key)).toEqual([]);
  });

  it('are given again to a receiver that died with a part, from that part on', async () => {
    const { key } = await ordered(hashed);
    await newProcess().run(key, toTheEnd);
    const [first, second] = await parts(key, 2);
    const rest = await parts(key);
    expect(rest[0]).toEqual(second);
    expect([first, ...rest].flat()).toHaveLength(COUNT);
  });

  it('are gone with a cancelled batch, and a day after the end of the generation', async () => {
    const cancelled = await ordered(hashed);
    await chunks(cancelled.key, 2);
    await world.batchChanges.cancel(cancelled.tenantId, cancelled.batchId);
    await newProcess().run(cancelled.key, toTheEnd);
    expect(await world.em(cancelled.tenantId).count(SealedCodesRow, {})).toBe(0);
    const { tenantId, batchId, key } = await ordered(hashed);
    await newProcess().run(key, toTheEnd);
    await world.sealed.prune();
    expect(await world.em(tenantId).count(SealedCodesRow, {})).toBe(3);
    const finishedAt = new Date(world.clock.nowMs() - 86_400_000 - 60_000);
    await world.em(tenantId).nativeUpdate(CodeBatch, { id: batchId }, { finishedAt });
    await world.sealed.prune();
    expect(await world.em(tenantId).count(SealedCodesRow, {})).toBe(0);
  });
});
