import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { Campaign } from '../../src/campaigns/campaign.entity.js';
import { Tenant } from '../../src/tenancy/tenant.entity.js';
import { openCodesWorld, outcomeOf, refusalOf, ruleOf, type CodesWorld } from '../support/codes-world.js';

let world: CodesWorld;
beforeAll(async () => {
  world = await openCodesWorld(inject('databaseUrl'));
});
afterAll(async () => world?.close());

const NOTHING = { issued: 0, campaigns: [], batches: [], codes: [], events: [] };
const SEED_RULE = {
  ruleId: 'invite_reward_2023',
  codeType: 'RANDOM_ALPHANUM' as const,
  length: 12,
  validDays: 30,
  useLimit: 1,
  applicableProducts: ['APP_A', 'MINI_B', 'APP_A'],
  rewardRules: [{ type: 'SUBSCRIPTION' as const, id: '4711', condition: { userTag: 'invited_user' } }],
};

describe('creating a campaign', () => {
  it('takes the rule of seed 004, and fills in what it leaves out', async () => {
    const tenantId = await world.addTenant();
    await world.lines.create(tenantId, { code: 'APP_A', name: 'A' });
    await world.lines.create(tenantId, { code: 'MINI_B', name: 'B' });
    const made = await world.addCampaign(tenantId, { rule: SEED_RULE });
    const stored = await world.em(tenantId).findOneOrFail(Campaign, { id: made.id });
    expect(stored).toMatchObject({
      status: 'DRAFT',
      version: 1,
      tenantName: 'Tenant',
      tenantType: 'CHANNEL',
    });
    expect(stored).toMatchObject({
      startsAt: null,
      endsAt: null,
      codeVisibility: 'VISIBLE',
      userLimitTotal: 0,
    });
    expect(stored.rule).toEqual({
      ruleId: 'invite_reward_2023',
      codeType: 'ALPHANUM',
      length: 12,
      prefix: '',
      pattern: null,
      alphabet: null,
      excludeChars: [],
      validDays: 30,
      useLimit: 1,
      applicableProducts: ['APP_A', 'MINI_B'],
      rewardRules: [
        {
          type: 'SUBSCRIPTION',
          id: '4711',
          unit: null,
          quantity: 1,
          value: '0',
          condition: { userTag: 'invited_user' },
          amount: null,
          currency: null,
          validDays: null,
          when: null,
        },
      ],
    });
    const { events } = await world.state(tenantId);
    expect(events.map((event) => [event.type, event.payload])).toEqual([
      ['campaign_changed', { campaignId: made.id, status: 'DRAFT', version: 1 }],
    ]);
  });

  it('takes the name that GraphQL gives the target of a reward', async () => {
    const tenantId = await world.addTenant();
    const named = [{ type: 'SUBSCRIPTION' as const, targetId: '4711' }];
    const same = await world.addCampaign(tenantId, { rule: ruleOf({ rewardRules: named }) });
    expect(same.rule.rewardRules).toMatchObject([{ type: 'SUBSCRIPTION', id: '4711' }]);
  });

  it('takes rewards of all four kinds, with the defaults of each', async () => {
    const tenantId = await world.addTenant();
    const rewardRules = [
      { type: 'SUBSCRIPTION' as const, id: '4711' },
      { type: 'COUPON' as const, id: '4711', quantity: 2 },
      { type: 'POINTS' as const, amount: '10.0', validDays: 30 },
      { type: 'BALANCE' as const, id: '4711', amount: '1.50', currency: 'USD' },
    ];
    const { rule } = await world.addCampaign(tenantId, { rule: ruleOf({ rewardRules }) });
    const none = { unit: null, condition: null, amount: null, currency: null, when: null };
    const nothing = { ...none, quantity: 1, value: '0' };
    expect(rule.rewardRules).toEqual([
      { ...nothing, type: 'SUBSCRIPTION', id: '4711', validDays: null },
      { ...nothing, type: 'COUPON', id: '4711', quantity: 2, validDays: null },
      { ...nothing, type: 'POINTS', id: '0', amount: '10', validDays: 30 },
      { ...nothing, type: 'BALANCE', id: '4711', amount: '1.5', currency: 'USD', validDays: null },
    ]);
  });

  const later = new Date(Date.UTC(2030, 0, 2));
  const reward = (fault: Record<string, unknown>) => ({
    rule: ruleOf({ rewardRules: [{ type: 'SUBSCRIPTION', id: '4711', ...fault }] }),
  });
  const points = (fault: Record<string, unknown>) => ({
    rule: { ...ruleOf(), rewardRules: [{ type: 'POINTS', ...fault }] },
  });
  const usd = { type: 'BALANCE', currency: 'USD' };
  const rule = (fault: Record<string, unknown>) => ({ rule: { ...ruleOf(), ...fault } });
  const bad: [string, Record<string, unknown>, string][] = [
    ['no name', { name: ' ' }, 'NAME_NOT_ALLOWED'],
    ['an unknown field', { status: 'ACTIVE' }, 'INPUT_NOT_ALLOWED'],
    ['no rule', { rule: null }, 'RULE_NOT_ALLOWED'],
    ['an unknown type of codes', rule({ codeType: 'BARCODE' }), 'RULE_NOT_ALLOWED'],
    ['an unknown field of the rule', rule({ lenght: 8 }), 'RULE_NOT_ALLOWED'],
    ['half a character in a pattern', rule({ pattern: '\ud800' }), 'RULE_NOT_ALLOWED'],
    ['half a character in a prefix', rule({ prefix: '\udfff' }), 'RULE_NOT_ALLOWED'],
    ['a length of 0', rule({ length: 0 }), 'RULE_NOT_ALLOWED'],
    ['a broken length', rule({ length: 8.5 }), 'RULE_NOT_ALLOWED'],
    ['no valid days', rule({ validDays: 0 }), 'RULE_NOT_ALLOWED'],
    ['a negative use limit', rule({ useLimit: -1 }), 'RULE_NOT_ALLOWED'],
    ['an unknown reward', reward({ type: 'GOLD' }), 'RULE_NOT_ALLOWED'],
    ['a reward of nothing', reward({ id: null }), 'RULE_NOT_ALLOWED'],
    ['a reward with two targets', reward({ targetId: '4711' }), 'RULE_NOT_ALLOWED'],
    ['an unknown unit', reward({ unit: 'WEEK' }), 'RULE_NOT_ALLOWED'],
    ['a quantity of 0', reward({ quantity: 0 }), 'RULE_NOT_ALLOWED'],
    ['a negative value', reward({ value: '-1' }), 'RULE_NOT_ALLOWED'],
    ['a value with an exponent', reward({ value: '1e3' }), 'RULE_NOT_ALLOWED'],
    ['a value that is no number', reward({ value: 'NaN' }), 'RULE_NOT_ALLOWED'],
    ['an unknown condition', reward({ condition: { isNew: true } }), 'RULE_NOT_ALLOWED'],
    ['a window that ends as it begins', { startsAt: later, endsAt: later }, 'WINDOW_NOT_ALLOWED'],
    ['a window without a time', { startsAt: new Date(Number.NaN) }, 'WINDOW_NOT_ALLOWED'],
    ['a negative limit', { userLimitDay: -1 }, 'LIMIT_OUT_OF_RANGE'],
    ['a limit beyond all counts', { userLimitTotal: 2 ** 31 }, 'LIMIT_OUT_OF_RANGE'],
    ['half a budget of uses', { budgetUses: 0.5 }, 'BUDGET_OUT_OF_RANGE'],
    ['a negative budget', { budgetValue: '-0.01' }, 'BUDGET_OUT_OF_RANGE'],
    ['a budget with an exponent', { budgetValue: '1E5' }, 'BUDGET_OUT_OF_RANGE'],
    ['an endless budget', { budgetValue: 'Infinity' }, 'BUDGET_OUT_OF_RANGE'],
    ['a budget finer than its column', { budgetValue: '0.00000000001' }, 'BUDGET_OUT_OF_RANGE'],
    ['a budget greater than its column', { budgetValue: '1'.repeat(21) }, 'BUDGET_OUT_OF_RANGE'],
    ['too many first codes', { initialCodes: 10_001 }, 'CODE_COUNT_OUT_OF_RANGE'],
    ['a key with a space', { idempotencyKey: 'a b' }, 'IDEMPOTENCY_KEY_MALFORMED'],
    ['a long key', { idempotencyKey: 'k'.repeat(65) }, 'IDEMPOTENCY_KEY_MALFORMED'],
    [
      'a coupon template that is not there',
      reward({ type: 'COUPON', id: '4712' }),
      'REWARD_TARGET_NOT_FOUND',
    ],
    ['a plan with an amount', reward({ amount: '1' }), 'REWARD_FIELD_NOT_ALLOWED'],
    ['a plan with a currency', reward({ currency: 'USD' }), 'REWARD_FIELD_NOT_ALLOWED'],
    ['a plan with points that expire', reward({ validDays: 1 }), 'REWARD_FIELD_NOT_ALLOWED'],
    ['a coupon with a unit', reward({ type: 'COUPON', unit: 'DAY' }), 'REWARD_FIELD_NOT_ALLOWED'],
    [
      'more coupons than one reward gives',
      reward({ type: 'COUPON', quantity: 21 }),
      'REWARD_QUANTITY_OUT_OF_RANGE',
    ],
    ['points with a target', reward({ type: 'POINTS', amount: '1' }), 'REWARD_FIELD_NOT_ALLOWED'],
    ['points without an amount', points({}), 'REWARD_AMOUNT_REQUIRED'],
    ['half a point', points({ amount: '0.5' }), 'REWARD_POINTS_NOT_WHOLE'],
    ['no points', points({ amount: '0' }), 'REWARD_AMOUNT_OUT_OF_RANGE'],
    ['too many points', points({ amount: '1000000001' }), 'REWARD_AMOUNT_OUT_OF_RANGE'],
    ['points that never were valid', points({ amount: '1', validDays: 0 }), 'RULE_NOT_ALLOWED'],
    ['a balance without an amount', reward({ type: 'BALANCE', currency: 'USD' }), 'REWARD_AMOUNT_REQUIRED'],
    ['a balance without a currency', reward({ type: 'BALANCE', amount: '1' }), 'REWARD_CURRENCY_REQUIRED'],
    ['an empty balance', reward({ ...usd, amount: '0.00' }), 'REWARD_AMOUNT_OUT_OF_RANGE'],
    ['a negative balance', reward({ ...usd, amount: '-1' }), 'RULE_NOT_ALLOWED'],
    ['a facility that is not there', reward({ ...usd, id: '4712', amount: '1' }), 'REWARD_TARGET_NOT_FOUND'],
    ['a currency in small letters', reward({ ...usd, currency: 'usd', amount: '1' }), 'RULE_NOT_ALLOWED'],
    ['a plan that is not there', reward({ id: '4712' }), 'REWARD_TARGET_NOT_FOUND'],
    ['a product line that is not there', rule({ applicableProducts: ['APP_X'] }), 'PRODUCT_LINE_NOT_FOUND'],
    [
      'S4.4 an alphabet of which nothing is left',
      rule({ codeType: 'RANDOM_NUM', excludeChars: [...'0123456789'] }),
      'CODE_ALPHABET_EMPTY',
    ],
    ['S4.4 codes that can be guessed', rule({ codeType: 'RANDOM_NUM', length: 4 }), 'CODE_SPACE_TOO_SMALL'],
    [
      'S4.4 too many codes for the rule',
      { ...rule({ codeType: 'RANDOM_NUM', length: 6 }), initialCodes: 1001 },
      'CODE_SPACE_TOO_SMALL',
    ],
  ];

  it.each(bad)('is refused with %s, and nothing is written', async (_name, fault, code) => {
    const tenantId = await world.addTenant();
    const input = { name: 'Campaign', rule: ruleOf(), ...fault };
    expect(await refusalOf(world.launches.create(tenantId, input))).toBe(code);
    expect(await world.state(tenantId)).toEqual(NOTHING);
  });

  it('names the field at fault', async () => {
    const tenantId = await world.addTenant();
    const input = { name: 'Campaign', ...reward({ quantity: 0 }) };
    const error = await world.launches.create(tenantId, input).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ details: { field: ['input', 'rule', 'rewardRules', '0', 'quantity'] } });
  });

  it("S4.1 does not take another tenant's product line", async () => {
    const [one, other] = [await world.addTenant(), await world.addTenant()];
    await world.lines.create(other, { code: 'APP_A', name: 'A' });
    const input = { name: 'Campaign', rule: ruleOf({ applicableProducts: ['APP_A'] }) };
    expect(await refusalOf(world.launches.create(one, input))).toBe('PRODUCT_LINE_NOT_FOUND');
  });

  it('S4.2 is refused for a tenant that is not there, or switched off', async () => {
    const tenantId = await world.addTenant();
    await world.em(tenantId).nativeUpdate(Tenant, { id: tenantId }, { status: 'DISABLED' });
    const input = { name: 'Campaign', rule: ruleOf() };
    expect(await refusalOf(world.launches.create(tenantId, input))).toBe('TENANT_NOT_ACTIVE');
    expect(await refusalOf(world.launches.create('T_NOBODY', input))).toBe('TENANT_NOT_FOUND');
    expect(await world.state(tenantId)).toEqual(NOTHING);
  });

  it('S4.2 is refused with more first codes than the quota allows, and leaves no campaign behind', async () => {
    const tenantId = await world.addTenant(10);
    const input = { name: 'Campaign', rule: ruleOf(), initialCodes: 11 };
    expect(await refusalOf(world.launches.create(tenantId, input))).toBe('TENANT_QUOTA_EXCEEDED');
    expect(await world.state(tenantId)).toEqual(NOTHING);
  });

  it('S4.2 holds the quota in parallel: each campaign has all its first codes, or does not exist', async () => {
    const tenantId = await world.addTenant(10);
    const create = async (index: number): Promise<string> =>
      outcomeOf(
        world.launches.create(tenantId, { name: `Campaign ${index}`, rule: ruleOf(), initialCodes: 3 }),
      );
    const outcomes = await Promise.all(Array.from({ length: 20 }, async (_, index) => create(index)));
    expect(outcomes.filter((outcome) => outcome === 'DONE')).toHaveLength(3);
    expect(outcomes.filter((outcome) => outcome === 'TENANT_QUOTA_EXCEEDED')).toHaveLength(17);
    const { issued, campaigns, batches, codes, events } = await world.state(tenantId);
    expect([issued, campaigns.length, batches.length, codes.length]).toEqual([9, 3, 3, 9]);
    expect(events.map((event) => event.type).toSorted()).toEqual([
      ...Array<string>(3).fill('campaign_changed'),
      ...Array<string>(3).fill('codes_generated'),
    ]);
  });

  it('S4.2 is idempotent: twenty calls with one key make one campaign and one batch, and answer the same', async () => {
    const tenantId = await world.addTenant(5);
    const input = { name: 'Campaign', rule: ruleOf(), initialCodes: 5, idempotencyKey: 'key-1' };
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => world.launches.create(tenantId, input)),
    );
    const first = answers[0];
    expect(first?.codes).toHaveLength(5);
    for (const answer of answers) {
      expect([answer.campaign.id, answer.batchId, answer.codes]).toEqual([
        first?.campaign.id,
        first?.batchId,
        first?.codes,
      ]);
    }
    expect(answers.filter((answer) => !answer.replayed)).toHaveLength(1);
    const { issued, campaigns, batches, codes } = await world.state(tenantId);
    expect([issued, campaigns.length, batches.length, codes.length]).toEqual([5, 1, 1, 5]);
  });

  it('S4.2 a call overtaken by one with the same key answers its campaign, even with the quota used up', async () => {
    const tenantId = await world.addTenant(5);
    const input = { name: 'Campaign', rule: ruleOf(), initialCodes: 5, idempotencyKey: 'key-1' };
    const assertCanIssue = world.tenants.assertCanIssue.bind(world.tenants);
    const overtaken = vi.spyOn(world.tenants, 'assertCanIssue').mockImplementationOnce(async (...asked) => {
      await world.launches.create(tenantId, input);
      return assertCanIssue(...asked);
    });
    const { campaign, replayed } = await world.launches.create(tenantId, input);
    overtaken.mockRestore();
    const stored = await world.state(tenantId);
    expect([replayed, stored.campaigns.map((row) => row.id)]).toEqual([true, [campaign.id]]);
  });

  it('S4.2 answers a known key also when the tenant could make no more campaigns', async () => {
    const tenantId = await world.addTenant();
    const input = { name: 'Campaign', rule: ruleOf(), idempotencyKey: 'key-1' };
    const first = await world.launches.create(tenantId, input);
    await world.em(tenantId).nativeUpdate(Tenant, { id: tenantId }, { status: 'DISABLED' });
    const again = await world.launches.create(tenantId, input);
    expect([again.campaign.id, again.replayed]).toEqual([first.campaign.id, true]);
  });

  it('S4.2 refuses a known key with other arguments, and nothing is written', async () => {
    const tenantId = await world.addTenant();
    const input = { name: 'Campaign', rule: ruleOf(), idempotencyKey: 'key-1' };
    await world.launches.create(tenantId, input);
    const before = await world.state(tenantId);
    const others = [
      { name: 'Other' },
      { rule: ruleOf({ length: 15 }) },
      { initialCodes: 1 },
      { budgetUses: 1 },
    ];
    for (const other of others) {
      expect(await refusalOf(world.launches.create(tenantId, { ...input, ...other }))).toBe(
        'IDEMPOTENCY_KEY_REUSED',
      );
    }
    expect(await world.state(tenantId)).toEqual(before);
  });

  it('S4.1 S4.2 takes the same key in two tenants for two campaigns', async () => {
    const tenants = [await world.addTenant(), await world.addTenant()];
    const input = { name: 'Campaign', rule: ruleOf(), idempotencyKey: 'key-1' };
    const made = await Promise.all(tenants.map(async (tenantId) => world.launches.create(tenantId, input)));
    expect(new Set(made.map((answer) => answer.campaign.id)).size).toBe(2);
  });
});
