import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Campaign } from '../../src/campaigns/campaign.entity.js';
import { CodeBatch } from '../../src/codes/code-batch.entity.js';
import { CodeFormatRow } from '../../src/codes/code-format.entity.js';
import { ProductApi, staffOf } from '../support/product-api.js';
import {
  emOf,
  openWorld,
  seedCampaign,
  seedTenant,
  seedUser,
  type SeededTenant,
  type World,
} from '../support/world.js';

let world: World;
let api: ProductApi;
beforeAll(async () => {
  world = await openWorld();
  api = new ProductApi(world);
});
afterAll(async () => world?.close());

const PREVIEW = `query ($input: PreviewCampaignRuleInput!) { previewCampaignRule(input: $input) {
  codes { samples differentCodes liveBeside guessesPerHit guessesPerHitMin codesPossible }
  warnings { code } errors { code field } } }`;
const CREATE = `mutation ($input: CreateCampaignInput!) { createCampaign(input: $input) { errors { code field } } }`;

interface Shown {
  readonly codes: {
    readonly samples: string[];
    readonly differentCodes: string;
    readonly liveBeside: number;
    readonly guessesPerHit: number;
    readonly guessesPerHitMin: number;
    readonly codesPossible: number;
  } | null;
  readonly warnings: { code: string }[] | null;
  readonly errors: { code: string; field: string[] | null }[];
}

const RULE = { ruleId: 'r', codeType: 'ALPHANUM', length: 8, prefix: 'SUMMER-' };

async function previewOf(tenantId: string, input: object): Promise<Shown> {
  const { data, errors } = await api.ask(staffOf(tenantId, 'AUDITOR'), PREVIEW, { input });
  expect(errors).toEqual([]);
  return data['previewCampaignRule'] as unknown as Shown;
}

async function rowsOf({ tenantId }: SeededTenant): Promise<number[]> {
  const em = emOf(world, tenantId);
  return [await em.count(Campaign, {}), await em.count(CodeBatch, {}), await em.count(CodeFormatRow, {})];
}

const SAMPLE = `query ($input: PreviewCampaignRuleInput!) { previewCampaignRule(input: $input) {
  users { userId externalUserId isEligible rewardNos faults { rewardNo message position { line column length excerpt } } }
  errors { code message field position { line column length excerpt } } } }`;

async function sampleOf(tenantId: string, rule: object, sample: object) {
  const input = { rule: { ...RULE, ...rule }, sample };
  const { data, errors } = await api.ask(staffOf(tenantId, 'AUDITOR'), SAMPLE, { input });
  expect(errors).toEqual([]);
  return data['previewCampaignRule'] as unknown as { users: { userId: string }[] | null; errors: object[] };
}

describe('the preview of conditions', () => {
  const points = (when: string | null, more: object = {}) => ({ type: 'POINTS', amount: '1', when, ...more });

  it('says what each user of a sample would get, and what cannot be evaluated', async () => {
    const { tenantId } = await seedTenant(world);
    const vip = await seedUser(world, tenantId, ['vip']);
    const plain = await seedUser(world, tenantId);
    const rule = {
      when: 'productLine == "APP_A" && hour == 18',
      rewardRules: [
        points(null),
        points(null, { condition: { userTag: 'vip' } }),
        points('weekday == 4 &&\n  1 / tenantRedemptions > 0'),
      ],
    };
    const at = '2026-12-24T18:30:00Z';
    const fault = {
      rewardNo: 2,
      message: 'Line 2, column 3: Division by zero.',
      position: { line: 2, column: 3, length: 21, excerpt: '  1 / tenantRedemptions > 0\n  ^' },
    };
    const named = { userIds: [vip, plain, '1'], productCode: 'APP_A', at };
    const { users, errors } = await sampleOf(tenantId, rule, named);
    expect(errors).toEqual([]);
    expect(users).toMatchObject([
      { userId: plain, isEligible: true, rewardNos: [0], faults: [fault] },
      { userId: vip, isEligible: true, rewardNos: [0, 1], faults: [fault] },
    ]);
    expect(await sampleOf(tenantId, rule, { newest: 1, at })).toMatchObject({
      users: [{ userId: plain, isEligible: false }],
    });
  });

  it('names the place of what is wrong, and the field', async () => {
    const { tenantId } = await seedTenant(world);
    const rule = { rewardRules: [points(null), points('isNew &&\n  "vip" in tags')] };
    expect(await sampleOf(tenantId, rule, {})).toMatchObject({
      users: null,
      errors: [
        {
          code: 'EXPRESSION_FACT_UNKNOWN',
          field: ['input', 'rule', 'rewardRules', '1', 'when'],
          position: { line: 2, column: 12, length: 4, excerpt: '  "vip" in tags\n           ^' },
        },
      ],
    });
    for (const sample of [{ newest: 101 }, { userIds: [] }, { campaignId: 'x' }, { productCode: 'a' }])
      expect(await sampleOf(tenantId, {}, sample)).toMatchObject({
        errors: [{ code: 'SAMPLE_NOT_ALLOWED' }],
      });
  });
});

describe('the preview of a campaign', () => {
  it('shows codes of the rule and how safe they would be, warns, and saves nothing', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { codes, warnings, errors } = await previewOf(tenantId, {
      rule: RULE,
      endsAt: '2020-01-01T00:00:00Z',
      codeCount: 1000,
    });
    expect(errors).toEqual([]);
    expect(codes?.samples).toHaveLength(5);
    for (const sample of codes?.samples ?? []) expect(sample).toMatch(/^SUMMER-[A-HJ-NP-Z2-9]{8}$/);
    expect(new Set(codes?.samples).size).toBe(5);
    expect(codes).toMatchObject({
      differentCodes: '1099511627776',
      liveBeside: 0,
      guessesPerHit: 1_099_511_627,
      guessesPerHitMin: 1_000_000,
      codesPossible: 1_099_511,
    });
    expect(warnings?.map(({ code }) => code)).toEqual(['CAMPAIGN_WITHOUT_REWARDS', 'CAMPAIGN_WINDOW_OVER']);
    expect(await rowsOf(tenant)).toEqual([0, 0, 0]);
  });

  it('takes the live codes of the tenant into account', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const rule = { ...RULE, prefix: '', length: 7 };
    const most = Math.floor(32 ** 7 / 1_000_000);
    await seedCampaign(world, tenant, 10_000, { rule });
    const before = await rowsOf(tenant);
    expect((await previewOf(tenantId, { rule })).codes).toMatchObject({
      liveBeside: 10_000,
      guessesPerHit: Math.floor(32 ** 7 / 10_001),
      codesPossible: most - 10_000,
    });
    expect((await previewOf(tenantId, { rule, codeCount: most - 10_000 })).errors).toEqual([]);
    expect(await previewOf(tenantId, { rule, codeCount: most - 9999 })).toEqual({
      codes: null,
      warnings: null,
      errors: [{ code: 'CODE_SPACE_TOO_SMALL', field: ['input', 'rule', 'length'] }],
    });
    expect(await rowsOf(tenant)).toEqual(before);
  });

  it.each<[string, object]>([
    ['a pattern without a random place', { rule: { ...RULE, codeType: 'PATTERN', pattern: 'SUMMER' } }],
    ['a prefix with a blank', { rule: { ...RULE, prefix: 'A B' } }],
    ['a code that is too long', { rule: { ...RULE, length: 30 } }],
    ['a code that is too short', { rule: { ...RULE, prefix: '', length: 3 } }],
    ['codes that can be guessed', { rule: { ...RULE, codeType: 'RANDOM_NUM', prefix: '', length: 5 } }],
    [
      'a check character of a UUID',
      { rule: { ...RULE, prefix: '', codeType: 'UUID', checkCharacter: true } },
    ],
    [
      'a plan that is not there',
      { rule: { ...RULE, rewardRules: [{ type: 'SUBSCRIPTION', targetId: '1' }] } },
    ],
    ['a product line that is not there', { rule: { ...RULE, applicableProducts: ['NONE'] } }],
    [
      'an end before the begin',
      { rule: RULE, startsAt: '2030-01-02T00:00:00Z', endsAt: '2030-01-01T00:00:00Z' },
    ],
    ['a negative budget', { rule: RULE, budgetUses: -1 }],
    [
      'values that come to too much',
      {
        rule: { ...RULE, rewardRules: [{ type: 'POINTS', amount: '1', value: '99999999999999999999' }] },
        budgetUses: 10,
      },
    ],
  ])('refuses %s as the creation does, by code and field', async (_what, input) => {
    const { tenantId } = await seedTenant(world);
    const { data } = await api.ask(staffOf(tenantId), CREATE, { input: { ...input, name: 'A campaign' } });
    const created = data['createCampaign'] as unknown as Pick<Shown, 'errors'>;
    expect(created.errors).toHaveLength(1);
    expect(await previewOf(tenantId, input)).toEqual({ codes: null, warnings: null, errors: created.errors });
  });
});
