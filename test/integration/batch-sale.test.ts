import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CodeBatch } from '../../src/codes/code-batch.entity.js';
import { Code } from '../../src/codes/code.entity.js';
import { DomainError } from '../../src/platform/errors.js';
import {
  emOf,
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUser,
  type World,
} from '../support/world.js';

/** Two processes on the same stores. */
let world: World;
let other: World;
beforeAll(async () => {
  [world, other] = await Promise.all([openWorld(), openWorld()]);
});
afterAll(async () => {
  await world?.close();
  await other?.close();
});

const DAY_MS = 86_400_000;
const instantIn = (ms: number) => new Date(world.services.clock.nowMs() + ms);

async function refusalOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof DomainError) return String(error.code);
    throw error;
  }
  return 'DONE';
}

/** A campaign and a batch of it. */
async function seeded(input: object = {}, rule: Record<string, unknown> = {}) {
  const tenant = await seedTenant(world);
  const { tenantId } = tenant;
  const { campaignId } = await seedCampaign(world, tenant, 1, { rule: { useLimit: 0, ...rule } });
  const made = await world.services.generation.generate(tenantId, { campaignId, count: 3, ...input });
  const [code = ''] = made.codes ?? [];
  const attempt = async (at = world) =>
    outcomeOf(await redeem(at, tenantId, await seedUser(world, tenantId), code));
  const em = () => emOf(world, tenantId);
  const batchId = made.batch.id;
  const versions = async () => {
    const codes = await em().find(Code, { batchId }, { disableIdentityMap: true });
    return codes.map(({ version, used }) => version - used);
  };
  const statuses = async (status: 'INACTIVE' | 'ACTIVE' | 'EXPIRED') => {
    const { codeReader } = world.services;
    const filter = { batchId, effectiveStatus: [status] };
    const page = await codeReader.page(tenantId, filter, { offset: 0, size: 15 });
    const shown = await Promise.all(page.items.map(async (each) => codeReader.effectiveStatus(each)));
    expect(shown).toEqual(Array(page.total).fill(status));
    return page.total;
  };
  return { tenantId, batchId, code, attempt, em, versions, statuses };
}

describe('X.11 a batch that is activated at sale', () => {
  it('redeems nothing before, and everything from then on, at every process, without a touch of its codes', async () => {
    const { tenantId, batchId, attempt, versions, statuses } = await seeded({ activateAtSale: true });
    expect([await attempt(), await attempt(other)]).toEqual(['CODE_INACTIVE', 'CODE_INACTIVE']);
    expect([await statuses('INACTIVE'), await statuses('ACTIVE')]).toEqual([3, 0]);
    const batch = await world.services.batchChanges.activate(tenantId, batchId);
    expect(batch).toMatchObject({
      awaitsActivation: false,
      version: 2,
      activatedAt: expect.any(Date) as Date,
    });
    expect([await attempt(other), await attempt()]).toEqual(['COMMITTED', 'COMMITTED']);
    expect([await statuses('INACTIVE'), await statuses('ACTIVE')]).toEqual([0, 3]);
    expect(await versions()).toEqual([1, 1, 1]);
  });

  it('is activated once of ten calls at once, and is not where it is active or void', async () => {
    const { tenantId, batchId } = await seeded({ activateAtSale: true });
    const { batchChanges } = world.services;
    const calls = Array.from({ length: 10 }, async () => refusalOf(batchChanges.activate(tenantId, batchId)));
    const outcomes = await Promise.all(calls);
    expect(outcomes.toSorted()).toEqual([...Array<string>(9).fill('BATCH_ACTIVE'), 'DONE']);
    await batchChanges.void(tenantId, batchId);
    expect(await refusalOf(batchChanges.activate(tenantId, batchId))).toBe('BATCH_VOIDED');
    expect(await refusalOf(batchChanges.activate(tenantId, '1'))).toBe('BATCH_NOT_FOUND');
  });

  it('stays blocked where it is frozen as well', async () => {
    const { tenantId, batchId, attempt } = await seeded({ activateAtSale: true });
    await world.services.batchChanges.freeze(tenantId, batchId);
    await world.services.batchChanges.activate(tenantId, batchId);
    expect(await attempt()).toBe('CODE_INACTIVE');
    await world.services.batchChanges.unfreeze(tenantId, batchId);
    expect(await attempt(other)).toBe('COMMITTED');
  });

  it('is refused at the commit where the claim did not know it', async () => {
    const { tenantId, batchId, attempt, em } = await seeded();
    expect(await attempt()).toBe('COMMITTED');
    // Past the program, so that no process hears of it.
    await em().nativeUpdate(CodeBatch, { id: batchId }, { awaitsActivation: true });
    expect(await attempt()).toBe('CODE_INACTIVE');
    expect(tenantId).not.toBe('');
  });
});

describe('X.11 a batch that is extended', () => {
  const expired = async () => {
    const seededBatch = await seeded({}, { validDays: 1 });
    const { em, batchId } = seededBatch;
    await em().nativeUpdate(Code, { batchId }, { expiresAt: instantIn(-1000) });
    await world.services.codeTotals.recount(seededBatch.tenantId);
    return seededBatch;
  };

  it('brings its expired codes back at every process, without a touch of them', async () => {
    const { tenantId, batchId, code, attempt, versions, statuses } = await expired();
    expect([await attempt(), await attempt(other)]).toEqual(['CODE_EXPIRED', 'CODE_EXPIRED']);
    expect([await statuses('EXPIRED'), await statuses('ACTIVE')]).toEqual([3, 0]);
    const expiresAt = instantIn(DAY_MS);
    await world.services.batchChanges.extend(tenantId, batchId, { expiresAt });
    expect([await attempt(other), await attempt()]).toEqual(['COMMITTED', 'COMMITTED']);
    expect([await statuses('EXPIRED'), await statuses('ACTIVE')]).toEqual([0, 3]);
    expect(await versions()).toEqual([1, 1, 1]);
    const { items } = await world.services.codeReader.page(tenantId, { batchId }, { offset: 0, size: 3 });
    expect(items.map((each) => each.expiresAt)).toEqual([expiresAt, expiresAt, expiresAt]);
    const userId = await seedUser(world, tenantId);
    const request = { tenantId, userId, code, productCode: 'DEMO', deviceId: null, headerKey: null };
    const preview = await world.services.previews.preview({ ...request, idempotencyKey: null });
    expect(preview).toMatchObject({ refusal: null, expiresAt });
  });

  it('ends at the instant of its extension, which is expired already', async () => {
    const { tenantId, batchId, attempt, em, statuses } = await expired();
    await world.services.batchChanges.extend(tenantId, batchId, { expiresAt: instantIn(DAY_MS) });
    expect(await attempt()).toBe('COMMITTED');
    const extendedTo = instantIn(-1);
    await em().nativeUpdate(CodeBatch, { id: batchId }, { extendedTo });
    await world.services.copies.bumpEpoch(tenantId);
    expect([await attempt(), await attempt(other)]).toEqual(['CODE_EXPIRED', 'CODE_EXPIRED']);
    expect(await statuses('EXPIRED')).toBe(3);
  });

  it('shortens no code, and gives none an end that has none', async () => {
    const { tenantId, batchId, em } = await seeded({}, { validDays: 30 });
    const [first, second] = await em().find(
      Code,
      { batchId },
      { orderBy: { id: 'asc' }, disableIdentityMap: true },
    );
    await em().nativeUpdate(Code, { id: first?.id ?? '' }, { expiresAt: null });
    await world.services.batchChanges.extend(tenantId, batchId, { expiresAt: instantIn(DAY_MS) });
    const ends = async (id = '') => (await world.services.codeReader.code(tenantId, id))?.expiresAt ?? null;
    expect(await ends(first?.id)).toBeNull();
    expect(await ends(second?.id)).toEqual(second?.expiresAt);
  });

  it('goes forward only, and a refusal writes nothing', async () => {
    const { tenantId, batchId, em } = await expired();
    const { batchChanges } = world.services;
    const extend = async (input: object) => refusalOf(batchChanges.extend(tenantId, batchId, input));
    expect(await extend({ expiresAt: instantIn(-1) })).toBe('EXPIRY_NOT_LATER');
    expect(await extend({ expiresAt: 'soon' })).toBe('EXPIRY_NOT_ALLOWED');
    expect(await extend({ expiresAt: instantIn(1000), other: 1 })).toBe('INPUT_NOT_ALLOWED');
    const later = instantIn(DAY_MS);
    expect(await extend({ expiresAt: later })).toBe('DONE');
    expect(await extend({ expiresAt: later })).toBe('EXPIRY_NOT_LATER');
    const batch = await em().findOneOrFail(CodeBatch, { id: batchId }, { disableIdentityMap: true });
    expect(batch).toMatchObject({ extendedTo: later, version: 2 });
    await batchChanges.void(tenantId, batchId);
    expect(await extend({ expiresAt: instantIn(2 * DAY_MS) })).toBe('BATCH_VOIDED');
  });
});
