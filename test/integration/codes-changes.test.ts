import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Code } from '../../src/codes/code.entity.js';
import { openCodesWorld, outcomeOf, refusalOf, ruleOf, type CodesWorld } from '../support/codes-world.js';

let world: CodesWorld;
beforeAll(async () => {
  world = await openCodesWorld(inject('databaseUrl'));
});
afterAll(async () => world?.close());

const UNKNOWN_IDS = ['1', '0', '-1', '', 'abc', '99999999999999999999', "1' or 1=1"];

/** A tenant with one campaign and some codes, and what one of them is. */
async function seed(count = 1, quota = 0) {
  const tenantId = await world.addTenant(quota);
  const { campaign, batchId } = await world.launches.create(tenantId, {
    name: 'Campaign',
    rule: ruleOf({ useLimit: 3 }),
    initialCodes: count,
  });
  const { codes } = await world.state(tenantId);
  const ids = codes.map((code) => code.id);
  const set = async (data: Partial<Code>) =>
    world.em(tenantId).nativeUpdate(Code, { id: ids[0] ?? '' }, data);
  return { tenantId, campaignId: campaign.id, batchId: batchId ?? '', ids, id: ids[0] ?? '', set };
}

describe('switching a code', () => {
  it('S0.17 off and on raises the version, tells Redis and the outbox, and never the code', async () => {
    const { tenantId, id } = await seed();
    const [before] = (await world.state(tenantId)).codes;
    expect(await world.codeChanges.setEnabled(tenantId, id, false)).toMatchObject({
      status: 'DISABLED',
      version: 2,
    });
    expect(await world.codeChanges.setEnabled(tenantId, id, true)).toMatchObject({
      status: 'ACTIVE',
      version: 3,
    });
    const { codes, events } = await world.state(tenantId);
    expect(codes).toEqual([{ ...before, version: 3 }]);
    const told = events.filter((event) => event.type === 'code_changed');
    expect(told.map((event) => event.payload)).toEqual([
      { codeId: id, digest: before?.codeDigest, version: 2 },
      { codeId: id, digest: before?.codeDigest, version: 3 },
    ]);
    expect(JSON.stringify(events)).not.toContain(before?.codeText);
    expect(world.copies.evicted.filter(({ digest }) => digest === before?.codeDigest)).toEqual([
      { digest: before?.codeDigest, version: 2 },
      { digest: before?.codeDigest, version: 3 },
    ]);
  });

  it('to what it is already changes nothing', async () => {
    const { tenantId, id } = await seed();
    const before = await world.state(tenantId);
    expect(await world.codeChanges.setEnabled(tenantId, id, true)).toMatchObject({
      status: 'ACTIVE',
      version: 1,
    });
    expect(await world.state(tenantId)).toEqual(before);
  });

  it('is refused before it is activated', async () => {
    const { tenantId, id, set } = await seed();
    await set({ status: 'INACTIVE' });
    const before = await world.state(tenantId);
    expect(await refusalOf(world.codeChanges.setEnabled(tenantId, id, true))).toBe('CODE_NOT_ACTIVATED');
    expect(await refusalOf(world.codeChanges.setEnabled(tenantId, id, false))).toBe('CODE_NOT_ACTIVATED');
    expect(await world.state(tenantId)).toEqual(before);
  });
});

describe('changing a code', () => {
  const expiresAt = new Date(Date.UTC(2031, 0, 1));

  it('S0.17 changes limit and end, and leaves what is not given', async () => {
    const { tenantId, id } = await seed();
    const text = (await world.codeReader.code(tenantId, id))?.codeText;
    await world.codeChanges.update(tenantId, id, { expiresAt });
    expect(await world.codeReader.code(tenantId, id)).toMatchObject({ useLimit: 3, expiresAt, version: 2 });
    await world.codeChanges.update(tenantId, id, { useLimit: 0 });
    expect(await world.codeReader.code(tenantId, id)).toMatchObject({ useLimit: 0, expiresAt, version: 3 });
    await world.codeChanges.update(tenantId, id, { expiresAt: null });
    expect(await world.codeReader.code(tenantId, id)).toMatchObject({
      useLimit: 0,
      expiresAt: null,
      codeText: text,
    });
  });

  it('S0.17 takes a limit at what is used, and refuses one below', async () => {
    const { tenantId, id, set } = await seed();
    await set({ used: 2 });
    const before = await world.state(tenantId);
    expect(await refusalOf(world.codeChanges.update(tenantId, id, { useLimit: 1 }))).toBe(
      'USE_LIMIT_BELOW_USED',
    );
    expect(await world.state(tenantId)).toEqual(before);
    expect(await world.codeChanges.update(tenantId, id, { useLimit: 2 })).toMatchObject({
      useLimit: 2,
      used: 2,
    });
  });

  it('never lets the limit pass below the uses, also while the code is being used', async () => {
    const { tenantId, id } = await seed();
    const use = async (): Promise<unknown> =>
      world.transactions.run(tenantId, async (em) =>
        em.execute(
          `update code set used = used + 1, version = version + 1
            where tenant_id = ? and id = ? and (use_limit = 0 or used + 1 <= use_limit)`,
          [tenantId, id],
          'run',
        ),
      );
    const limits = [1, 2, 3, 1, 2, 3, 1, 2];
    await Promise.all([
      ...limits.map(async (useLimit) => outcomeOf(world.codeChanges.update(tenantId, id, { useLimit }))),
      ...limits.map(use),
    ]);
    const code = await world.codeReader.code(tenantId, id);
    expect(code?.used).toBeGreaterThan(0);
    expect(code?.used).toBeLessThanOrEqual(code?.useLimit ?? 0);
  });

  const bad: [string, Record<string, unknown>, string][] = [
    ['a negative limit', { useLimit: -1 }, 'USE_LIMIT_OUT_OF_RANGE'],
    ['half a use', { useLimit: 1.5 }, 'USE_LIMIT_OUT_OF_RANGE'],
    ['an end without a time', { expiresAt: new Date(Number.NaN) }, 'EXPIRY_NOT_ALLOWED'],
    ['another text', { codeText: 'ABCDEFGH' }, 'INPUT_NOT_ALLOWED'],
    ['another count', { used: 0 }, 'INPUT_NOT_ALLOWED'],
  ];

  it.each(bad)('is refused with %s, and nothing is written', async (_name, fault, code) => {
    const { tenantId, id } = await seed();
    const before = await world.state(tenantId);
    expect(await refusalOf(world.codeChanges.update(tenantId, id, fault))).toBe(code);
    expect(await world.state(tenantId)).toEqual(before);
  });

  it('is refused with an end before the beginning', async () => {
    const { tenantId, id, set } = await seed();
    await set({ startsAt: expiresAt });
    expect(await refusalOf(world.codeChanges.update(tenantId, id, { expiresAt }))).toBe('EXPIRY_NOT_ALLOWED');
  });
});

describe('deleting codes', () => {
  it('S0.17 deletes all of them in one transaction, with an event each, and gives the quota back', async () => {
    const { tenantId, ids } = await seed(5, 5);
    expect(await world.codeChanges.delete(tenantId, [...ids.slice(0, 3), ids[0] ?? ''])).toBe(3);
    const { issued, codes, events } = await world.state(tenantId);
    expect(issued).toBe(2);
    expect(codes.map((code) => [code.deletedAt !== null, code.version])).toEqual([
      [true, 2],
      [true, 2],
      [true, 2],
      [false, 1],
      [false, 1],
    ]);
    expect(events.filter((event) => event.type === 'code_changed')).toHaveLength(3);
    expect(await world.codeReader.code(tenantId, ids[0] ?? '')).toBeNull();
    expect((await world.codeReader.page(tenantId, {}, { offset: 0, size: 15 })).total).toBe(2);
  });

  it.each([...UNKNOWN_IDS, 'DELETED'])(
    'is refused as a whole with an id that names no code: %j',
    async (unknown) => {
      const { tenantId, ids } = await seed(3);
      const [first = '', second = ''] = ids;
      await world.codeChanges.delete(tenantId, [second]);
      const before = await world.state(tenantId);
      const id = unknown === 'DELETED' ? second : unknown;
      expect(await refusalOf(world.codeChanges.delete(tenantId, [first, id]))).toBe('CODE_NOT_FOUND');
      expect(await world.state(tenantId)).toEqual(before);
    },
  );

  it('is refused for none, and for more than one transaction takes', async () => {
    const { tenantId } = await seed();
    const many = Array.from({ length: 1001 }, () => world.ids.next());
    expect(await refusalOf(world.codeChanges.delete(tenantId, []))).toBe('CODE_COUNT_OUT_OF_RANGE');
    expect(await refusalOf(world.codeChanges.delete(tenantId, many))).toBe('CODE_COUNT_OUT_OF_RANGE');
  });

  it('gives the quota of each code back once when several callers delete it at the same time', async () => {
    const { tenantId, ids } = await seed(6, 6);
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, async () => outcomeOf(world.codeChanges.delete(tenantId, ids))),
    );
    expect(outcomes.filter((outcome) => outcome === 'DONE')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'CODE_NOT_FOUND')).toHaveLength(9);
    expect((await world.state(tenantId)).issued).toBe(0);
  });
});

describe('a batch', () => {
  it('X.11 is frozen, unfrozen and voided by flags of its row, and its codes stay as they are', async () => {
    const { tenantId, batchId } = await seed(3, 3);
    const { codes } = await world.state(tenantId);
    const frozen = await world.batchChanges.freeze(tenantId, batchId);
    expect([frozen.frozenAt instanceof Date, frozen.voidedAt, frozen.version]).toEqual([true, null, 2]);
    expect(await world.batchChanges.unfreeze(tenantId, batchId)).toMatchObject({
      frozenAt: null,
      version: 3,
    });
    const voided = await world.batchChanges.void(tenantId, batchId);
    expect([voided.voidedAt instanceof Date, voided.version]).toEqual([true, 4]);
    const after = await world.state(tenantId);
    expect(after.codes).toEqual(codes);
    expect(after.issued).toBe(0);
    const told = after.events.filter((event) => event.type === 'batch_changed').map((event) => event.payload);
    expect(told).toMatchObject([
      { frozen: true, voided: false, version: 2 },
      { frozen: false, voided: false, version: 3 },
      { frozen: false, voided: true, version: 4 },
    ]);
  });

  it('is refused what it is already, or can never be again, and nothing is written', async () => {
    const { tenantId, batchId } = await seed();
    const {
      freeze,
      unfreeze,
      void: voidBatch,
    } = {
      freeze: async () => outcomeOf(world.batchChanges.freeze(tenantId, batchId)),
      unfreeze: async () => outcomeOf(world.batchChanges.unfreeze(tenantId, batchId)),
      void: async () => outcomeOf(world.batchChanges.void(tenantId, batchId)),
    };
    expect(await unfreeze()).toBe('BATCH_NOT_FROZEN');
    await world.batchChanges.freeze(tenantId, batchId);
    expect(await freeze()).toBe('BATCH_FROZEN');
    await world.batchChanges.void(tenantId, batchId);
    const before = await world.state(tenantId);
    expect([await freeze(), await unfreeze(), await voidBatch()]).toEqual(Array(3).fill('BATCH_VOIDED'));
    expect(await world.state(tenantId)).toEqual(before);
  });

  it('gives the quota of each code back once, though its codes are deleted while it is voided', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { tenantId, batchId, ids } = await seed(6);
      await Promise.all([
        world.batchChanges.void(tenantId, batchId),
        ...ids.slice(0, 4).map(async (id) => world.codeChanges.delete(tenantId, [id])),
      ]);
      expect((await world.state(tenantId)).issued).toBe(0);
    }
  });

  it('gives back no quota for codes that were deleted before', async () => {
    const { tenantId, batchId, ids } = await seed(3);
    await world.codeChanges.delete(tenantId, ids.slice(1));
    await world.batchChanges.void(tenantId, batchId);
    expect((await world.state(tenantId)).issued).toBe(0);
  });

  it('that was voided has given back the quota of codes that are deleted later', async () => {
    const { tenantId, batchId, ids } = await seed(3);
    await world.batchChanges.void(tenantId, batchId);
    await world.codeChanges.delete(tenantId, ids);
    expect((await world.state(tenantId)).issued).toBe(0);
  });
});

it.each(UNKNOWN_IDS)('every unknown id is answered the same: %j', async (id) => {
  const { tenantId } = await seed();
  const before = await world.state(tenantId);
  const refusals = await Promise.all(
    [
      world.codeChanges.setEnabled(tenantId, id, false),
      world.codeChanges.update(tenantId, id, { useLimit: 1 }),
      world.batchChanges.freeze(tenantId, id),
      world.batchChanges.void(tenantId, id),
      world.campaignChanges.step(tenantId, id, 'activate'),
    ].map(outcomeOf),
  );
  const [code, batch] = ['CODE_NOT_FOUND', 'BATCH_NOT_FOUND'];
  expect(refusals).toEqual([code, code, batch, batch, 'CAMPAIGN_NOT_FOUND']);
  expect(await world.codeReader.batch(tenantId, id)).toBeNull();
  expect(await world.campaignReader.read(tenantId, id)).toBeNull();
  expect(await world.state(tenantId)).toEqual(before);
});

it('S4.1 codes and batches of another tenant are not there', async () => {
  const { tenantId, id, batchId } = await seed();
  const other = await world.addTenant();
  const before = await world.state(tenantId);
  expect(await refusalOf(world.codeChanges.setEnabled(other, id, false))).toBe('CODE_NOT_FOUND');
  expect(await refusalOf(world.codeChanges.update(other, id, { useLimit: 9 }))).toBe('CODE_NOT_FOUND');
  expect(await refusalOf(world.codeChanges.delete(other, [id]))).toBe('CODE_NOT_FOUND');
  expect(await refusalOf(world.batchChanges.void(other, batchId))).toBe('BATCH_NOT_FOUND');
  expect(await world.codeReader.batch(other, batchId)).toBeNull();
  expect(await world.codeReader.page(other, { batchId }, { offset: 0, size: 15 })).toEqual({
    total: 0,
    items: [],
    next: null,
  });
  expect(await world.state(tenantId)).toEqual(before);
});

describe('S0.18 lists', () => {
  const listed = async (tenantId: string, filter: Parameters<CodesWorld['codeReader']['page']>[1]) => {
    const { total, items } = await world.codeReader.page(tenantId, filter, { offset: 0, size: 500 });
    expect(items).toHaveLength(total);
    return items.map((code) => code.id);
  };

  it('are newest first, by pages, with the exact total', async () => {
    const { tenantId, ids } = await seed(7);
    const newestFirst = ids.toReversed();
    const page = await world.codeReader.page(tenantId, {}, { offset: 2, size: 3 });
    expect([page.total, page.items.map((code) => code.id)]).toEqual([7, newestFirst.slice(2, 5)]);
  });

  it('are filtered by campaign, batch and status, of which REDEEMED is derived', async () => {
    const { tenantId, campaignId, batchId, ids, set } = await seed(5);
    const other = await world.launches.create(tenantId, { name: 'Other', rule: ruleOf(), initialCodes: 2 });
    const [used = '', off = '', asleep = '', endless = '', fresh = ''] = ids;
    const change = async (id: string, data: Partial<Code>) =>
      world.em(tenantId).nativeUpdate(Code, { id }, data);
    await set({ used: 3 });
    await change(off, { status: 'DISABLED', used: 3 });
    await change(asleep, { status: 'INACTIVE' });
    await change(endless, { useLimit: 0, used: 5 });
    await world.codeTotals.recount(tenantId);
    expect(await listed(tenantId, { campaignId, status: 'REDEEMED' })).toEqual([used]);
    expect(await listed(tenantId, { campaignId, status: 'ACTIVE' })).toEqual([fresh, endless]);
    expect(await listed(tenantId, { batchId, status: 'DISABLED' })).toEqual([off]);
    expect(await listed(tenantId, { batchId, status: 'INACTIVE' })).toEqual([asleep]);
    expect(await listed(tenantId, { campaignId: other.campaign.id })).toHaveLength(2);
    expect(await listed(tenantId, { batchId: other.batchId })).toHaveLength(2);
    expect(await listed(tenantId, { campaignId, batchId: other.batchId })).toEqual([]);
    expect(await listed(tenantId, { campaignId: 'x' })).toEqual([]);
  });

  it('find a part of the code in either case, and take no wildcard for one', async () => {
    const { tenantId, ids, set } = await seed(3);
    await set({ codeText: 'SUMMER-7K2M-QRST' });
    for (const part of ['7k2m', 'MER-7', 'SUMMER-7K2M-QRST']) {
      expect(await listed(tenantId, { part })).toEqual([ids[0]]);
    }
    for (const part of ['%', '_', 'S_MMER', 'SUM%', '\\', '\\%', "' or 1=1 -- "]) {
      expect(await listed(tenantId, { part })).toEqual([]);
    }
  });

  it('find the last four of a code whose text is not kept', async () => {
    const { tenantId, ids, set } = await seed(2);
    await set({ codeText: null, lastFour: '9X9Y' });
    expect(await listed(tenantId, { part: '9x9y' })).toEqual([ids[0]]);
  });
});
