import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { CodeFormatRow } from '../../src/codes/code-format.entity.js';
import type { CreateCampaign } from '../../src/campaigns/campaign-input.js';
import { DomainError } from '../../src/platform/errors.js';
import { openCodesWorld, outcomeOf, refusalOf, ruleOf, type CodesWorld } from '../support/codes-world.js';

let world: CodesWorld;
/** A bound of one in a thousand, so that a tenant with six digits has room for a thousand codes. */
let lenient: CodesWorld;
beforeAll(async () => {
  world = await openCodesWorld(inject('databaseUrl'));
  lenient = await openCodesWorld(inject('databaseUrl'), 1000);
});
afterAll(async () => {
  await world?.close();
  await lenient?.close();
});

const six = ruleOf({ codeType: 'RANDOM_NUM', length: 6 });
const liveOf = async (tenantId: string): Promise<number[]> =>
  (await world.em(tenantId).find(CodeFormatRow, {}, { orderBy: { id: 'asc' } })).map(({ live }) => live);
const campaignsOf = async (count: number, tenantId: string, rule = six): Promise<string[]> => {
  const ids = [];
  for (let index = 0; index < count; index += 1) ids.push((await lenient.addCampaign(tenantId, { rule })).id);
  return ids;
};

describe('X.18 guess safety is a property of the tenant', () => {
  it('refuses a hundred campaigns of a thousand six-digit codes: the first at the default bound, the second at one in a thousand', async () => {
    const strict = await world.addTenant();
    const one = await world.addCampaign(strict, { rule: six });
    const first = world.generation.generate(strict, { campaignId: one.id, count: 1000 });
    expect(await refusalOf(first)).toBe('CODE_SPACE_TOO_SMALL');
    const tenantId = await lenient.addTenant();
    const outcomes = [];
    for (const campaignId of await campaignsOf(100, tenantId))
      outcomes.push(await outcomeOf(lenient.generation.generate(tenantId, { campaignId, count: 1000 })));
    expect(outcomes).toEqual(['DONE', ...Array.from({ length: 99 }, () => 'CODE_SPACE_TOO_SMALL')]);
    const { issued, codes, batches } = await lenient.state(tenantId);
    expect([issued, codes.length, batches.length]).toEqual([1000, 1000, 1]);
  });

  it('names the numbers in its refusal', async () => {
    const tenantId = await lenient.addTenant();
    const [first = '', second = ''] = await campaignsOf(2, tenantId);
    await lenient.generation.generate(tenantId, { campaignId: first, count: 900 });
    const refused = lenient.generation.generate(tenantId, { campaignId: second, count: 200 });
    const error = await refused.catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(DomainError);
    expect(String(error)).toMatch(
      /1000000 different codes.*200 more.*one guess in 909 .*has 900 .*in 1000 may\. 100 more/,
    );
  });

  it('counts exactly when twenty campaigns issue at once', async () => {
    const tenantId = await lenient.addTenant();
    const campaigns = await campaignsOf(20, tenantId);
    const outcomes = await Promise.all(
      campaigns.map(async (campaignId) =>
        outcomeOf(lenient.generation.generate(tenantId, { campaignId, count: 90 })),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'DONE')).toHaveLength(11);
    expect(outcomes.filter((outcome) => outcome === 'CODE_SPACE_TOO_SMALL')).toHaveLength(9);
    expect((await lenient.state(tenantId)).codes).toHaveLength(990);
    expect(await liveOf(tenantId)).toEqual([990]);
  });

  it('adds up formats that overlap, and leaves out those that do not', async () => {
    const tenantId = await lenient.addTenant();
    const [digits = ''] = await campaignsOf(1, tenantId);
    await lenient.generation.generate(tenantId, { campaignId: digits, count: 1000 });
    const [prefixed = ''] = await campaignsOf(1, tenantId, { ...six, length: 5, prefix: '9' });
    expect(await refusalOf(lenient.generation.generate(tenantId, { campaignId: prefixed, count: 1 }))).toBe(
      'CODE_SPACE_TOO_SMALL',
    );
    const [apart = ''] = await campaignsOf(1, tenantId, { ...six, length: 6, prefix: 'A' });
    await lenient.generation.generate(tenantId, { campaignId: apart, count: 1000 });
    const other = await lenient.addTenant();
    const [elsewhere = ''] = await campaignsOf(1, other);
    await lenient.generation.generate(other, { campaignId: elsewhere, count: 1000 });
    expect(await liveOf(tenantId)).toEqual([1000, 1000]);
  });

  it('counts the codes of a large batch when they are ordered, and gives their room back when it is cancelled', async () => {
    const tenantId = await world.addTenant();
    const rule = ruleOf({ codeType: 'RANDOM_NUM', length: 11 });
    const { id: campaignId } = await world.addCampaign(tenantId, { rule });
    const generate = async (count: number) => world.generation.generate(tenantId, { campaignId, count });
    const { batch } = await generate(90_000);
    expect(batch.status).toBe('PENDING');
    expect(await liveOf(tenantId)).toEqual([90_000]);
    expect(await refusalOf(generate(10_001))).toBe('CODE_SPACE_TOO_SMALL');
    await world.batchChanges.cancel(tenantId, batch.id);
    expect(await liveOf(tenantId)).toEqual([0]);
    await generate(100_000);
    expect(await liveOf(tenantId)).toEqual([100_000]);
  });

  it('gives room back when codes are deleted, batches are voided and campaigns end', async () => {
    const tenantId = await lenient.addTenant();
    const [first = '', second = '', third = ''] = await campaignsOf(3, tenantId);
    const { batch } = await lenient.generation.generate(tenantId, { campaignId: first, count: 600 });
    await lenient.generation.generate(tenantId, { campaignId: second, count: 400 });
    const { codes } = await lenient.state(tenantId);
    await lenient.codeChanges.delete(
      tenantId,
      codes.slice(0, 10).map(({ id }) => id),
    );
    expect(await liveOf(tenantId)).toEqual([990]);
    await lenient.batchChanges.void(tenantId, batch.id);
    expect(await liveOf(tenantId)).toEqual([400]);
    await lenient.campaignChanges.step(tenantId, second, 'activate');
    await lenient.campaignChanges.step(tenantId, second, 'end');
    expect(await liveOf(tenantId)).toEqual([0]);
    await lenient.generation.generate(tenantId, { campaignId: third, count: 1000 });
    expect(await liveOf(tenantId)).toEqual([1000]);
  });
});

/** Six-digit codes at the default bound, so that there is room for one secret code. */
async function chosen(input: Partial<CreateCampaign> = {}) {
  const tenantId = await world.addTenant();
  const { id: campaignId } = await world.addCampaign(tenantId, input);
  const add = async (codes: readonly string[], terms: object): Promise<string[]> => {
    const { batch } = await world.chosenCodes.add(tenantId, { campaignId, codes, ...terms });
    return (await world.state(tenantId)).codes.flatMap(({ id, batchId }) =>
      batchId === batch.id ? [id] : [],
    );
  };
  const update = async (id: string | undefined, change: object) =>
    outcomeOf(world.codeChanges.update(tenantId, id ?? '', change));
  const live = async () => (await liveOf(tenantId)).reduce((sum, each) => sum + each, 0);
  return { tenantId, campaignId, add, update, live };
}

describe('X.18 a change of a code that was made to be known', () => {
  it.each(['VISIBLE', 'HASHED'] as const)(
    'counts a %s code that becomes secret, once, or is refused with the numbers and changes nothing',
    async (codeVisibility) => {
      const { tenantId, add, update, live } = await chosen({ codeVisibility });
      const assignedUserId = await world.addUser(tenantId);
      const [known] = await add(['300000'], { useLimit: 1000 });
      const [assigned = ''] = await add(['400000'], { assignedUserId });
      expect(await live()).toBe(0);
      // One use left for one user is no secret yet.
      expect(await update(known, { useLimit: 1, assignedUserId })).toBe('DONE');
      expect(await live()).toBe(0);
      for (const change of [{ assignedUserId: null }, { useLimit: 5 }, { useLimit: 1 }, { useLimit: 1 }]) {
        expect(await update(known, change)).toBe('DONE');
        expect(await live()).toBe(1);
      }
      const before = await world.state(tenantId);
      const refused = world.codeChanges.update(tenantId, assigned, { assignedUserId: null });
      await expect(refused).rejects.toThrow(
        /1000000 different codes.*With 1 more.*one guess in 500000 .*has 1 .*in 1000000 may\. 0 more/,
      );
      expect(await update(assigned, { assignedUserId: null })).toBe('CODE_SPACE_TOO_SMALL');
      expect(await world.state(tenantId)).toEqual(before);
      await world.codeChanges.delete(tenantId, [known ?? '']);
      expect(await live()).toBe(0);
      expect(await update(assigned, { assignedUserId: null })).toBe('DONE');
      expect(await live()).toBe(1);
    },
  );

  it('counts exactly when twenty codes of one list become secret at once, and gives back only what is counted', async () => {
    const { tenantId, add, update, live } = await chosen();
    const list = Array.from({ length: 20 }, (_, index) => String(500_000 + index));
    const ids = await add(list, { useLimit: 2 });
    const outcomes = await Promise.all(ids.map(async (id) => update(id, { useLimit: 1 })));
    expect(outcomes.filter((outcome) => outcome === 'DONE')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'CODE_SPACE_TOO_SMALL')).toHaveLength(19);
    expect(await live()).toBe(1);
    const secret = outcomes.indexOf('DONE');
    await world.codeChanges.delete(tenantId, ids.toSpliced(secret, 1));
    expect(await live()).toBe(1);
    await world.codeChanges.delete(tenantId, [ids[secret] ?? '']);
    expect(await live()).toBe(0);
  });

  it('counts no code of a void batch or of a campaign that has ended, where no guess can hit it', async () => {
    const { tenantId, campaignId, add, update, live } = await chosen();
    const [inVoid] = await add(['600000'], { useLimit: 2 });
    const [batch] = (await world.state(tenantId)).batches;
    await world.batchChanges.void(tenantId, batch?.id ?? '');
    expect(await update(inVoid, { useLimit: 1 })).toBe('DONE');
    const [inEnded] = await add(['700000'], { useLimit: 2 });
    await world.campaignChanges.step(tenantId, campaignId, 'activate');
    await world.campaignChanges.step(tenantId, campaignId, 'end');
    expect(await update(inEnded, { useLimit: 1 })).toBe('DONE');
    expect(await live()).toBe(0);
  });
});

describe('X.18 codes that can be redeemed again', () => {
  it('were counted all the time: while they are off, expired, frozen or not activated, no others take their room', async () => {
    const tenantId = await lenient.addTenant();
    const [campaignId = '', other = ''] = await campaignsOf(2, tenantId);
    const order = { campaignId, count: 1000, activateAtSale: true };
    const { batch } = await lenient.generation.generate(tenantId, order);
    const [code] = (await lenient.state(tenantId)).codes;
    const { codeChanges, batchChanges, clock } = lenient;
    const id = code?.id ?? '';
    const soon = new Date(clock.nowMs() + 60_000);
    const isFull = async () => {
      const more = lenient.generation.generate(tenantId, { campaignId: other, count: 1 });
      expect(await refusalOf(more)).toBe('CODE_SPACE_TOO_SMALL');
      expect(await liveOf(tenantId)).toEqual([1000]);
    };
    await isFull();
    await batchChanges.activate(tenantId, batch.id);
    await batchChanges.freeze(tenantId, batch.id);
    await isFull();
    await batchChanges.unfreeze(tenantId, batch.id);
    await codeChanges.setEnabled(tenantId, id, false);
    await isFull();
    await codeChanges.setEnabled(tenantId, id, true);
    await codeChanges.update(tenantId, id, { expiresAt: new Date(clock.nowMs() - 60_000) });
    await isFull();
    await batchChanges.extend(tenantId, batch.id, { expiresAt: soon });
    await codeChanges.update(tenantId, id, { expiresAt: null, useLimit: 5 });
    await codeChanges.update(tenantId, id, { useLimit: 1 });
    await isFull();
  });
});
