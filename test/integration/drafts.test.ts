import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openCodesWorld, outcomeOf, refusalOf, ruleOf, type CodesWorld } from '../support/codes-world.js';

let world: CodesWorld;
beforeAll(async () => {
  world = await openCodesWorld(inject('databaseUrl'));
});
afterAll(async () => world?.close());

const rewardOf = (value: string, rest: Record<string, unknown> = {}) => ({
  type: 'SUBSCRIPTION' as const,
  id: '4711',
  value,
  ...rest,
});

async function draft(input: Parameters<CodesWorld['addCampaign']>[1] = {}) {
  const tenantId = await world.addTenant(100);
  const { id } = await world.addCampaign(tenantId, input);
  return { tenantId, id };
}

describe('editing a draft', () => {
  it('replaces its rule, and codes that are made from then on go by it', async () => {
    const { tenantId, id } = await draft({ initialCodes: 1 });
    const rule = ruleOf({ length: 20, useLimit: 3, rewardRules: [rewardOf('2')] });
    const changed = await world.campaignChanges.update(tenantId, id, { rule, userLimitTotal: 2 });
    expect(changed).toMatchObject({ version: 2, userLimitTotal: 2, rule: { length: 20, useLimit: 3 } });
    await world.generation.generate(tenantId, { campaignId: id, count: 1 });
    const { codes } = await world.state(tenantId);
    expect(codes.map((code) => [code.codeText?.replaceAll('-', '').length, code.useLimit])).toEqual([
      [16, 1],
      [20, 3],
    ]);
  });

  it('answers RULE_FROZEN once it is active, and changes the rest', async () => {
    const { tenantId, id } = await draft();
    await world.campaignChanges.step(tenantId, id, 'activate');
    const before = await world.state(tenantId);
    const change = world.campaignChanges.update(tenantId, id, { name: 'New', rule: ruleOf() });
    expect(await refusalOf(change)).toBe('RULE_FROZEN');
    expect(await world.state(tenantId)).toEqual(before);
    await world.campaignChanges.update(tenantId, id, { name: 'New' });
    expect((await world.state(tenantId)).campaigns).toMatchObject([{ name: 'New', version: 3 }]);
  });

  it.each([
    ['codes that are too short', { length: 3 }, 'CODE_TOO_SHORT'],
    ['a plan that is not there', { rewardRules: [rewardOf('1', { id: '9' })] }, 'REWARD_TARGET_NOT_FOUND'],
    ['a product line that is not there', { applicableProducts: ['NOPE'] }, 'PRODUCT_LINE_NOT_FOUND'],
    ['a length that no code has', { length: 99 }, 'RULE_NOT_ALLOWED'],
  ])('is refused with %s, and nothing is written', async (_name, fault, code) => {
    const { tenantId, id } = await draft();
    const before = await world.state(tenantId);
    expect(await refusalOf(world.campaignChanges.update(tenantId, id, { rule: ruleOf(fault) }))).toBe(code);
    expect(await world.state(tenantId)).toEqual(before);
  });

  it('edits the rule or activates, never a rule of an active campaign', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { tenantId, id } = await draft();
      const [edit] = await Promise.all([
        outcomeOf(world.campaignChanges.update(tenantId, id, { rule: ruleOf({ length: 20 }) })),
        world.campaignChanges.step(tenantId, id, 'activate'),
      ]);
      const [campaign] = (await world.state(tenantId)).campaigns;
      expect([edit, campaign?.rule.length, campaign?.status]).toEqual(
        edit === 'DONE' ? ['DONE', 20, 'ACTIVE'] : ['RULE_FROZEN', 16, 'ACTIVE'],
      );
    }
  });
});

describe('deleting a draft', () => {
  it('hides it, voids its batches and gives back their quota', async () => {
    const { tenantId, id } = await draft({ initialCodes: 3 });
    await world.generation.generate(tenantId, { campaignId: id, count: 4 });
    const [first] = (await world.state(tenantId)).codes;
    await world.codeChanges.delete(tenantId, [first?.id ?? '']);
    await world.campaignChanges.delete(tenantId, id, null);
    const after = await world.state(tenantId);
    expect(after.issued).toBe(0);
    expect(after.batches.map((batch) => batch.voidedAt instanceof Date)).toEqual([true, true]);
    expect(await world.campaignReader.read(tenantId, id)).toBeNull();
    expect(await world.campaignReader.find(tenantId, id, 'after')).toBeNull();
    expect((await world.campaignReader.page(tenantId, {}, { offset: 0, size: 15 })).total).toBe(0);
    const outcomes = [
      refusalOf(world.campaignChanges.step(tenantId, id, 'activate')),
      refusalOf(world.campaignChanges.update(tenantId, id, { name: 'New' })),
      refusalOf(world.campaignChanges.delete(tenantId, id, null)),
      refusalOf(world.generation.generate(tenantId, { campaignId: id, count: 1 })),
    ];
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['CAMPAIGN_NOT_FOUND']));
  });

  it('keeps its idempotency key taken, so that a late repetition makes nothing', async () => {
    const { tenantId, id } = await draft({ idempotencyKey: 'k' });
    await world.campaignChanges.delete(tenantId, id, 1);
    expect(await refusalOf(world.addCampaign(tenantId, { idempotencyKey: 'k' }))).toBe(
      'IDEMPOTENCY_KEY_REUSED',
    );
    expect((await world.state(tenantId)).campaigns).toHaveLength(1);
  });

  it('is refused once it is active, from another version, and to another tenant; nothing is written', async () => {
    const { tenantId, id } = await draft({ initialCodes: 1 });
    const other = await world.addTenant();
    expect(await refusalOf(world.campaignChanges.delete(other, id, null))).toBe('CAMPAIGN_NOT_FOUND');
    expect(await refusalOf(world.campaignChanges.delete(tenantId, id, 2))).toBe('VERSION_CONFLICT');
    await world.campaignChanges.step(tenantId, id, 'activate');
    const before = await world.state(tenantId);
    expect(await refusalOf(world.campaignChanges.delete(tenantId, id, null))).toBe('CAMPAIGN_NOT_DRAFT');
    expect(await world.state(tenantId)).toEqual(before);
  });

  it('loses no quota to codes that are made or deleted at the same time', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { tenantId, id } = await draft({ initialCodes: 3 });
      const [code] = (await world.state(tenantId)).codes;
      const outcomes = await Promise.all([
        outcomeOf(world.generation.generate(tenantId, { campaignId: id, count: 2 })),
        outcomeOf(world.codeChanges.delete(tenantId, [code?.id ?? ''])),
        outcomeOf(world.campaignChanges.delete(tenantId, id, null)),
      ]);
      expect(['DONE', 'CAMPAIGN_NOT_FOUND']).toContain(outcomes[0]);
      expect(outcomes.slice(1)).toEqual(['DONE', 'DONE']);
      const after = await world.state(tenantId);
      expect([after.issued, after.batches.every((batch) => batch.voidedAt instanceof Date)]).toEqual([
        0,
        true,
      ]);
    }
  });
});

describe('what rewards come to', () => {
  const half = '50000000000000000000';
  const nines = '99999999999999999999';

  it('is refused where the rewards of one redemption cannot be stated, at creation and at a change', async () => {
    const rule = ruleOf({ rewardRules: [rewardOf(half), rewardOf(half)] });
    const tenantId = await world.addTenant();
    expect(await refusalOf(world.addCampaign(tenantId, { rule }))).toBe('REWARD_VALUE_OUT_OF_RANGE');
    const { id } = await world.addCampaign(tenantId);
    const before = await world.state(tenantId);
    expect(await refusalOf(world.campaignChanges.update(tenantId, id, { rule }))).toBe(
      'REWARD_VALUE_OUT_OF_RANGE',
    );
    expect(await world.state(tenantId)).toEqual(before);
  });

  it.each([
    ['budgetUses', 'BUDGET_OUT_OF_RANGE'],
    ['userLimitTotal', 'LIMIT_OUT_OF_RANGE'],
    ['userLimitDay', 'LIMIT_OUT_OF_RANGE'],
  ])(
    'is refused where %s allows more of them than can be stated, at creation and at a change',
    async (limit, code) => {
      const tenantId = await world.addTenant();
      const rule = ruleOf({ rewardRules: [rewardOf(nines)] });
      expect(await refusalOf(world.addCampaign(tenantId, { rule, [limit]: 2 }))).toBe(code);
      const { id } = await world.addCampaign(tenantId, { rule, [limit]: 1 });
      const before = await world.state(tenantId);
      expect(await refusalOf(world.campaignChanges.update(tenantId, id, { [limit]: 2 }))).toBe(code);
      expect(await world.state(tenantId)).toEqual(before);
      await world.campaignChanges.update(tenantId, id, { [limit]: 0, name: 'New' });
    },
  );
});

describe('how much one reward gives', () => {
  it.each([
    ['its own unit', { unit: 'YEAR', quantity: 101 }, 'RULE_NOT_ALLOWED'],
    ["the plan's unit", { quantity: 101 }, 'REWARD_QUANTITY_OUT_OF_RANGE'],
  ] as const)('is a hundred years at most, by %s', async (_name, amount, code) => {
    const tenantId = await world.addTenant();
    world.plans.set('100', 'YEAR');
    const rule = (rest: Record<string, unknown>) =>
      ruleOf({ rewardRules: [rewardOf('0', { id: '100', ...amount, ...rest })] });
    expect(await refusalOf(world.addCampaign(tenantId, { rule: rule({}) }))).toBe(code);
    const { id } = await world.addCampaign(tenantId, { rule: rule({ quantity: 100 }) });
    expect(await refusalOf(world.campaignChanges.update(tenantId, id, { rule: rule({}) }))).toBe(code);
  });
});

describe('activating', () => {
  const warnings = async (input: Parameters<CodesWorld['addCampaign']>[1]) => {
    const { tenantId, id } = await draft(input);
    return (await world.campaignChanges.activate(tenantId, id)).warnings.map(({ code }) => code);
  };

  it('warns of a campaign without rewards, and of one whose window is over', async () => {
    const rule = ruleOf({ rewardRules: [rewardOf('0')] });
    expect(await warnings({ rule })).toEqual([]);
    expect(await warnings({})).toEqual(['CAMPAIGN_WITHOUT_REWARDS']);
    expect(await warnings({ rule, endsAt: new Date(Date.UTC(2020, 0, 1)) })).toEqual([
      'CAMPAIGN_WINDOW_OVER',
    ]);
  });
});
