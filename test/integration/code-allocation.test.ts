import { setTimeout as pause } from 'node:timers/promises';
import { LockMode } from '@mikro-orm/core';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { CodeAllocation, CodeAllocationItem } from '../../src/codes/code-allocation.entity.js';
import { dropDeadItems, takeItems } from '../../src/codes/code-pool-items.js';
import { CodePool, CodePoolItem } from '../../src/codes/code-pool.entity.js';
import { POOLS } from '../../src/codes/code-pool.service.js';
import { Code } from '../../src/codes/code.entity.js';
import { wrongTotals } from '../support/code-totals.js';
import { openCodesWorld, outcomeOf as endOf, refusalOf, type CodesWorld } from '../support/codes-world.js';
import { statementsOf } from '../support/statements.js';
import {
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUsers,
  type World,
} from '../support/world.js';

const FOR_UPDATE = { lockMode: LockMode.PESSIMISTIC_WRITE, disableIdentityMap: true } as const;

let codes: CodesWorld;
let world: World;
beforeAll(async () => {
  codes = await openCodesWorld(inject('databaseUrl'));
  world = await openWorld();
});
afterAll(async () => {
  await codes?.close();
  await world?.close();
});

/** A pool that is full, and refills itself; workers of other tests may do it, too. */
async function keptPool(size: number, quota = 0): Promise<{ tenantId: string; campaignId: string }> {
  const tenantId = await codes.addTenant(quota);
  const { id: campaignId } = await codes.addCampaign(tenantId);
  await codes.pools.set(tenantId, { campaignId, size });
  await codes.pools.refill(tenantId, campaignId);
  return { tenantId, campaignId };
}

/** A pool that is full, and stays as the test leaves it. */
async function poolOf(size: number): Promise<{ tenantId: string; campaignId: string }> {
  const { tenantId, campaignId } = await keptPool(size);
  await codes.pools.set(tenantId, { campaignId, size: 0 });
  return { tenantId, campaignId };
}

describe('S4.21 allocation', () => {
  it('gives each code to one receiver only, when forty calls empty the pool at once', async () => {
    const { tenantId, campaignId } = await poolOf(200);
    const answers = await Promise.all(
      Array.from({ length: 40 }, async (_, index) =>
        codes.allocations.allocate(tenantId, { campaignId, count: 5, channel: `Shop ${index}` }),
      ),
    );
    const all = answers.flatMap((answer) => answer.codes);
    expect([all.length, new Set(all).size]).toEqual([200, 200]);
    expect(await codes.em(tenantId).count(CodePoolItem, {})).toBe(0);
    expect(await codes.em(tenantId).count(CodeAllocationItem, {})).toBe(200);
    const more = codes.allocations.allocate(tenantId, { campaignId, count: 1, channel: 'Late' });
    expect(await refusalOf(more)).toBe('POOL_EXHAUSTED');
  });

  it('gives all or nothing where calls want more than there is', async () => {
    const { tenantId, campaignId } = await poolOf(100);
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, async () =>
        endOf(codes.allocations.allocate(tenantId, { campaignId, count: 7, channel: 'Shop' })),
      ),
    );
    const done = outcomes.filter((outcome) => outcome === 'DONE').length;
    const allocated = await codes.em(tenantId).count(CodeAllocationItem, {});
    expect(allocated).toBe(7 * done);
    expect(await codes.em(tenantId).count(CodeAllocation, {})).toBe(done);
    expect(await codes.em(tenantId).count(CodePoolItem, {})).toBe(100 - allocated);
    // What a refused call held meanwhile is free again.
    const rest = codes.allocations.allocate(tenantId, {
      campaignId,
      count: 100 - allocated,
      channel: 'Rest',
    });
    expect((await rest).codes).toHaveLength(100 - allocated);
  });

  it('does not call a pool empty for codes that a call holds which is undone', async () => {
    const { tenantId, campaignId } = await poolOf(10);
    const pool = { tenantId, campaignId, now: new Date() };
    const isHeld = Promise.withResolvers<undefined>();
    const isUndone = Promise.withResolvers<undefined>();
    const undone = codes.transactions.run(tenantId, async (em) => {
      await takeItems(em, pool, 4, 'SKIPPED');
      isHeld.resolve(undefined);
      await isUndone.promise;
      throw new Error('Undone.');
    });
    await isHeld.promise;
    const all = codes.allocations.allocate(tenantId, { campaignId, count: 10, channel: 'Shop' });
    await pause(200);
    isUndone.resolve(undefined);
    await expect(undone).rejects.toThrow('Undone.');
    expect((await all).codes).toHaveLength(10);
  });

  it('answers a repeated key with the same codes, also to twenty calls at once', async () => {
    const { tenantId, campaignId } = await poolOf(50);
    const input = { campaignId, count: 30, channel: 'Shop', idempotencyKey: 'order-1' };
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => codes.allocations.allocate(tenantId, input)),
    );
    for (const answer of answers) expect(answer.codes).toEqual(answers[0]?.codes);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await codes.em(tenantId).count(CodePoolItem, {})).toBe(20);
    const other = codes.allocations.allocate(tenantId, { ...input, count: 29 });
    expect(await refusalOf(other)).toBe('IDEMPOTENCY_KEY_REUSED');
  });

  it('makes the codes of a user their own, at once', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { campaignId } = await seedCampaign(world, tenant, 1);
    await world.services.pools.set(tenantId, { campaignId, size: 3 });
    await world.services.pools.refill(tenantId, campaignId);
    const [mine = '', theirs = ''] = await seedUsers(world, tenantId, 2);
    const { codes: given } = await world.services.allocations.allocate(tenantId, {
      campaignId,
      count: 1,
      userId: mine,
    });
    expect(outcomeOf(await redeem(world, tenantId, theirs, given[0] ?? ''))).toBe('CODE_NOT_YOURS');
    expect(outcomeOf(await redeem(world, tenantId, mine, given[0] ?? ''))).toBe('COMMITTED');
    expect(await wrongTotals(codes.em(tenantId), tenantId)).toEqual([]);
  });

  it('passes over codes that no receiver could redeem any more', async () => {
    const { tenantId, campaignId } = await poolOf(10);
    const em = codes.em(tenantId);
    const stored = await em.find(Code, { campaignId }, { orderBy: { id: 'asc' } });
    const [deleted = '', disabled = '', used = '', assigned = ''] = stored.map(({ id }) => id);
    await codes.codeChanges.delete(tenantId, [deleted]);
    await codes.codeChanges.setEnabled(tenantId, disabled, false);
    await em.nativeUpdate(Code, { id: used }, { used: 1 });
    await em.nativeUpdate(Code, { id: assigned }, { assignedUserId: '4711' });
    const { codes: given } = await codes.allocations.allocate(tenantId, {
      campaignId,
      count: 6,
      channel: 'Shop',
    });
    expect(given.toSorted()).toEqual(
      stored
        .slice(4)
        .map(({ codeText }) => String(codeText))
        .toSorted(),
    );
  });

  it('drops codes that cannot be redeemed, in pieces, when it finds too few', async () => {
    const { tenantId, campaignId } = await poolOf(2500);
    const [batch] = (await codes.state(tenantId)).batches;
    await codes.batchChanges.void(tenantId, batch?.id ?? '');
    const sent = await statementsOf(codes.orm, async () => {
      const allocating = codes.allocations.allocate(tenantId, { campaignId, count: 1, channel: 'Shop' });
      expect(await refusalOf(allocating)).toBe('POOL_EXHAUSTED');
    });
    const pieces = sent.filter(({ query }) => query.startsWith('delete r from'));
    expect(pieces.map(({ params: [ids] }) => (JSON.parse(String(ids)) as string[]).length)).toEqual([
      1000, 1000, 500,
    ]);
    expect(await codes.em(tenantId).count(CodePoolItem, {})).toBe(0);
  });

  it('leaves a code that cannot be redeemed to the call that holds it', async () => {
    const { tenantId, campaignId } = await poolOf(10);
    const [batch] = (await codes.state(tenantId)).batches;
    await codes.batchChanges.void(tenantId, batch?.id ?? '');
    const holder = codes.em(tenantId);
    await holder.begin();
    const [held] = await holder.find(CodePoolItem, {}, { ...FOR_UPDATE, limit: 1 });
    const pool = { tenantId, campaignId, now: new Date() };
    const dropping = codes.transactions.run(tenantId, async (em) => dropDeadItems(em, pool, '0'));
    try {
      expect(await dropping).toBeNull();
    } finally {
      await holder.rollback();
    }
    const left = await codes.em(tenantId).find(CodePoolItem, {});
    expect(left.map(({ codeId }) => codeId)).toEqual([held?.codeId]);
  });

  it('refuses no receiver and two, a user that is not there, and a count of none', async () => {
    const { tenantId, campaignId } = await poolOf(1);
    const allocate = async (input: Record<string, unknown>) =>
      refusalOf(codes.allocations.allocate(tenantId, { campaignId, count: 1, ...input }));
    expect(await allocate({})).toBe('RECEIVER_NOT_ALLOWED');
    expect(await allocate({ userId: '1', channel: 'Shop' })).toBe('RECEIVER_NOT_ALLOWED');
    expect(await allocate({ userId: '4711' })).toBe('USER_NOT_FOUND');
    expect(await allocate({ channel: 'Shop', count: 0 })).toBe('CODE_COUNT_OUT_OF_RANGE');
    expect(await allocate({ channel: 'Shop', campaignId: '4711' })).toBe('CAMPAIGN_NOT_FOUND');
    expect(await codes.em(tenantId).count(CodePoolItem, {})).toBe(1);
  });
});

describe('S4.21 the pool', () => {
  it('refills itself to its size, also when four workers do it at once', async () => {
    const { tenantId, campaignId } = await keptPool(100);
    await codes.allocations.allocate(tenantId, { campaignId, count: 60, channel: 'Shop' });
    await Promise.all(Array.from({ length: 4 }, async () => codes.pools.refill(tenantId, campaignId)));
    expect(await codes.pools.find(tenantId, campaignId)).toEqual({
      campaignId,
      size: 100,
      free: 100,
      refusal: null,
    });
    expect((await codes.state(tenantId)).issued).toBe(160);
  });

  it('waits until a tenth is missing, and stops at size 0', async () => {
    const { tenantId, campaignId } = await keptPool(100);
    const freeAfter = async (count: number): Promise<number | undefined> => {
      await codes.allocations.allocate(tenantId, { campaignId, count, channel: 'Shop' });
      await codes.pools.refill(tenantId, campaignId);
      return (await codes.pools.find(tenantId, campaignId))?.free;
    };
    expect(await freeAfter(9)).toBe(91);
    expect(await freeAfter(1)).toBe(100);
    await codes.pools.set(tenantId, { campaignId, size: 0 });
    expect(await freeAfter(50)).toBe(50);
  });

  it('refills after its batch was voided: the next call is refused, and a later one gets other codes', async () => {
    const { tenantId, campaignId } = await keptPool(20);
    const [batch] = (await codes.state(tenantId)).batches;
    await codes.batchChanges.void(tenantId, batch?.id ?? '');
    const allocate = async () =>
      codes.allocations.allocate(tenantId, { campaignId, count: 5, channel: 'Shop' });
    expect(await refusalOf(allocate())).toBe('POOL_EXHAUSTED');
    await codes.pools.refill(tenantId, campaignId);
    const { codes: given } = await allocate();
    const rows = await codes.em(tenantId).find(Code, { codeText: { $in: [...given] } });
    expect(rows.map(({ batchId }) => batchId)).not.toContain(batch?.id);
    expect(rows).toHaveLength(5);
  });

  it('says why it is not refilled, and is refilled when that is mended', async () => {
    const { tenantId, campaignId } = await keptPool(50, 60);
    await codes.allocations.allocate(tenantId, { campaignId, count: 50, channel: 'Shop' });
    await codes.pools.refillAll();
    expect(await codes.pools.find(tenantId, campaignId)).toMatchObject({
      free: 0,
      refusal: 'TENANT_QUOTA_EXCEEDED',
    });
    await codes.pools.set(tenantId, { campaignId, size: 10 });
    await codes.pools.refillAll();
    expect(await codes.pools.find(tenantId, campaignId)).toMatchObject({ free: 10, refusal: null });
  });

  it('does not hold up those of other tenants while its refill waits', async () => {
    const pools = await Promise.all([keptPool(10), keptPool(10)]);
    const [slow, quick] = pools.toSorted((a, b) => (a.tenantId < b.tenantId ? -1 : 1));
    if (slow === undefined || quick === undefined) throw new Error('Two pools were made.');
    for (const { tenantId, campaignId } of pools)
      await codes.allocations.allocate(tenantId, { campaignId, count: 5, channel: 'Shop' });
    const freeOf = async ({ tenantId, campaignId }: typeof slow) =>
      (await codes.pools.find(tenantId, campaignId))?.free;
    const holder = codes.em(slow.tenantId);
    await holder.begin();
    await holder.find(CodePool, {}, FOR_UPDATE);
    const refilling = codes.pools.refillAll();
    try {
      await vi.waitFor(async () => expect(await freeOf(quick)).toBe(10), { timeout: 80_000, interval: 50 });
    } finally {
      await holder.rollback();
    }
    await refilling;
    expect(await freeOf(slow)).toBe(10);
  });

  describe('of many codes', () => {
    const SIZE = 30_000;

    /** Items without codes: they count, and no call takes them. Numbered from 1, the oldest first. */
    async function largePool(
      items: number,
      quota: number,
    ): Promise<{ tenantId: string; campaignId: string }> {
      const tenantId = await codes.addTenant(quota);
      const { id: campaignId } = await codes.addCampaign(tenantId);
      for (let from = 0; from < items; from += 5000) {
        const some = Array.from({ length: Math.min(5000, items - from) }, (_, at) => String(from + at + 1));
        await codes.em(tenantId).insertMany(
          CodePoolItem,
          some.map((codeId) => ({ tenantId, campaignId, codeId })),
        );
      }
      await codes.pools.set(tenantId, { campaignId, size: SIZE });
      return { tenantId, campaignId };
    }

    const loseOldest = async (tenantId: string, untilNo: number): Promise<unknown> =>
      codes.em(tenantId).nativeDelete(CodePoolItem, { codeId: { $lte: String(untilNo) } });

    /** How often a look at all pools counts those of this tenant. */
    async function countsOf(tenantId: string): Promise<number> {
      const sent = await statementsOf(codes.orm, async () => codes.pools.refillAll());
      const counts = sent.filter(({ query }) => /count\(.*code_pool_item/i.test(query));
      return counts.filter(({ query, params }) => `${query} ${params.join(' ')}`.includes(tenantId)).length;
    }

    it('is counted once, and again when a tenth may be missing', async () => {
      const { tenantId, campaignId } = await largePool(SIZE, 0);
      expect(await countsOf(tenantId)).toBe(1);
      expect(await countsOf(tenantId)).toBe(0);
      await loseOldest(tenantId, SIZE / 10 - 1);
      expect(await countsOf(tenantId)).toBe(0);
      await loseOldest(tenantId, SIZE / 10);
      expect(await countsOf(tenantId)).toBeGreaterThan(0);
      expect((await codes.pools.find(tenantId, campaignId))?.free).toBe(SIZE);
      await codes.pools.set(tenantId, { campaignId, size: 0 });
    });

    it('is not counted again and again while its refill is refused', async () => {
      const { tenantId, campaignId } = await largePool(SIZE / 2, 1);
      expect(await countsOf(tenantId)).toBe(1);
      expect((await codes.pools.find(tenantId, campaignId))?.refusal).toBe('TENANT_QUOTA_EXCEEDED');
      expect(await countsOf(tenantId)).toBe(0);
      await loseOldest(tenantId, 1);
      expect(await countsOf(tenantId)).toBe(1);
      await codes.pools.set(tenantId, { campaignId, size: 0 });
    });

    it('is looked at by one of its items', async () => {
      const { tenantId, campaignId } = await largePool(SIZE, 0);
      const reads = await codes.transactions.run(null, async (em) => {
        const sofar = async (): Promise<number> => {
          const rows = await em.execute<{ Value: string }[]>(`show session status like 'Handler_read%'`);
          return rows.reduce((sum, { Value }) => sum + Number(Value), 0);
        };
        const before = await sofar();
        const pools = await em.execute<{ tenantId: string; firstId: string }[]>(POOLS);
        expect(pools.find((pool) => pool.tenantId === tenantId)?.firstId).toBe('1');
        return (await sofar()) - before;
      });
      expect(reads).toBeLessThan(SIZE / 10);
      await codes.pools.set(tenantId, { campaignId, size: 0 });
    });
  });

  it('is refused for a HASHED campaign, which has no texts to hand out', async () => {
    const tenantId = await codes.addTenant();
    const { id: campaignId } = await codes.addCampaign(tenantId, { codeVisibility: 'HASHED' });
    const set = codes.pools.set(tenantId, { campaignId, size: 10 });
    expect(await refusalOf(set)).toBe('POOL_NEEDS_VISIBLE_CODES');
  });
});
