import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Redemption } from '../../src/redemption/history/redemption.entity.js';
import { RewardGrant } from '../../src/redemption/history/reward-grant.entity.js';
import { driftsAtRest } from '../support/reversals.js';
import {
  emOf,
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUser,
  tally,
  type SeededTenant,
  type World,
} from '../support/world.js';

let world: World;
let other: World;
beforeAll(async () => {
  [world, other] = [await openWorld(), await openWorld()];
});
afterAll(async () => Promise.all([world?.close(), other?.close()]));

const points = (amount: string, more: object = {}) => ({ type: 'POINTS', amount, ...more });

async function seeded(rule: Record<string, unknown>, count = 1, tenant?: SeededTenant) {
  const of = tenant ?? (await seedTenant(world));
  const { codes, campaignId } = await seedCampaign(world, of, count, { rule: { rewardRules: [], ...rule } });
  return { tenant: of, tenantId: of.tenantId, codes, campaignId };
}

/** The places of the rewards that each user was granted, over all redemptions. */
async function grantsOf(tenantId: string): Promise<Record<string, number[]>> {
  const em = emOf(world, tenantId);
  const redemptions = await em.find(Redemption, { status: 'COMMITTED' }, { disableIdentityMap: true });
  const grants = await em.find(RewardGrant, {}, { disableIdentityMap: true });
  const places = (id: string) =>
    grants.flatMap((grant) => (grant.redemptionId === id ? [grant.rewardNo] : [])).toSorted((a, b) => a - b);
  return Object.fromEntries(redemptions.map(({ userId, id }) => [userId, places(id)]));
}

const previewed = async (tenantId: string, userId: string, code: string) => {
  const asked = { tenantId, userId, code, productCode: 'DEMO', deviceId: null, idempotencyKey: null };
  return world.services.previews.preview({ ...asked, headerKey: null, ip: null });
};

describe('conditions of rewards', () => {
  it('S4.12 the userTag condition and an expression choose rewards, each granted once, at 60 clicks at once over two processes', async () => {
    const { tenantId, codes } = await seeded(
      {
        useLimit: 20,
        rewardRules: [
          points('1'),
          points('2', { condition: { userTag: 'vip' } }),
          points('3', { when: 'userTags.exists(tag, tag.startsWith("team_")) && isNew' }),
          points('4', { condition: { userTag: 'vip' }, when: 'productLine == "APP_A"' }),
          points('5', { condition: { userTag: 'vip' }, when: 'tenantRedemptions == 0' }),
        ],
      },
      1,
    );
    const tags = [[], ['vip'], ['team_a'], ['vip', 'team_b']];
    const users = await Promise.all(
      Array.from({ length: 20 }, async (_, at) => seedUser(world, tenantId, tags[at % tags.length])),
    );
    const clicks = users.flatMap((userId) => [world, other, world].map((at) => ({ at, userId })));
    const answers = await Promise.all(
      clicks.map(async ({ at, userId }) =>
        redeem(at, tenantId, userId, codes[0] ?? '', { idempotencyKey: 'click' }),
      ),
    );
    expect(tally(answers)).toEqual({ COMMITTED: 60 });
    expect(new Set(answers.map(({ redemption }) => redemption?.id)).size).toBe(20);
    const expected = [[0], [0, 1, 4], [0, 2], [0, 1, 2, 4]];
    expect(await grantsOf(tenantId)).toEqual(
      Object.fromEntries(users.map((userId, at) => [userId, expected[at % expected.length]])),
    );
    expect(await driftsAtRest(world, tenantId)).toEqual({});
  });

  it('are evaluated once, and the claim holds what they came to', async () => {
    const { tenantId, codes } = await seeded({
      rewardRules: [points('1'), points('2', { condition: { userTag: 'vip' } })],
    });
    const userId = await seedUser(world, tenantId, ['vip']);
    const preview = await previewed(tenantId, userId, codes[0] ?? '');
    expect(preview.rewards).toHaveLength(2);
    expect(outcomeOf(await redeem(world, tenantId, userId, codes[0] ?? ''))).toBe('COMMITTED');
    expect(await grantsOf(tenantId)).toEqual({ [userId]: [0, 1] });
  });

  it('that cannot be evaluated count as false, and are counted where staff see them', async () => {
    const { tenantId, codes, campaignId } = await seeded({
      rewardRules: [points('1'), points('2', { when: '1 / tenantRedemptions > 0' })],
    });
    const userId = await seedUser(world, tenantId);
    expect(outcomeOf(await redeem(world, tenantId, userId, codes[0] ?? ''))).toBe('COMMITTED');
    expect(await grantsOf(tenantId)).toEqual({ [userId]: [0] });
    await world.services.refusalCounter.flush();
    const report = await world.services.campaignReport.of(tenantId, campaignId, 1);
    expect(report).toMatchObject({ conditionFaults: 1, refusals: [] });
  });
});

describe('the condition of a campaign', () => {
  it('refuses who does not meet it, behind limits and ahead of the claim, as the preview does', async () => {
    const { tenantId, codes } = await seeded(
      { when: '"vip" in userTags', useLimit: 1, rewardRules: [points('1')] },
      2,
    );
    const [plain, vip] = [await seedUser(world, tenantId), await seedUser(world, tenantId, ['vip'])];
    expect((await previewed(tenantId, plain, codes[0] ?? '')).refusal?.code).toBe('USER_NOT_ELIGIBLE');
    expect(outcomeOf(await redeem(world, tenantId, plain, codes[0] ?? ''))).toBe('USER_NOT_ELIGIBLE');
    expect(await emOf(world, tenantId).count(Redemption, {})).toBe(0);
    expect((await previewed(tenantId, vip, codes[0] ?? '')).refusal).toBeNull();
    expect(outcomeOf(await redeem(world, tenantId, vip, codes[0] ?? ''))).toBe('COMMITTED');
    // What the user has done with the code before comes first, a used-up code behind it.
    expect(outcomeOf(await redeem(world, tenantId, plain, codes[0] ?? ''))).toBe('USER_NOT_ELIGIBLE');
    expect((await previewed(tenantId, plain, codes[0] ?? '')).refusal?.code).toBe('USER_NOT_ELIGIBLE');
    expect(outcomeOf(await redeem(world, tenantId, vip, codes[0] ?? ''))).toBe('ALREADY_REDEEMED');
    expect(await driftsAtRest(world, tenantId)).toEqual({});
  });

  it('that only a first redemption meets answers the same redemption to a second try', async () => {
    const { tenant, tenantId, codes } = await seeded(
      { when: 'campaignRedemptions == 0', rewardRules: [points('1')] },
      2,
    );
    const userId = await seedUser(world, tenantId);
    const first = await redeem(world, tenantId, userId, codes[0] ?? '', { idempotencyKey: 'k' });
    const again = await redeem(world, tenantId, userId, codes[0] ?? '', { idempotencyKey: 'k' });
    const keyless = await redeem(world, tenantId, userId, codes[0] ?? '');
    const second = await redeem(world, tenantId, userId, codes[1] ?? '');
    expect([first, again, keyless, second].map(outcomeOf)).toEqual([
      'COMMITTED',
      'COMMITTED',
      'ALREADY_REDEEMED',
      'USER_NOT_ELIGIBLE',
    ]);
    expect(again.redemption?.id).toBe(first.redemption?.id);
    expect(keyless.redemption?.id).toBe(first.redemption?.id);
    const of = { when: 'campaignRedemptions == 0 && tenantRedemptions == 1', rewardRules: [points('1')] };
    const elsewhere = await seeded(of, 1, tenant);
    expect(outcomeOf(await redeem(world, tenantId, userId, elsewhere.codes[0] ?? ''))).toBe('COMMITTED');
  });

  it('reads what it names: orders, device, line and time', async () => {
    const when =
      'isNew && paidOrders == 0 && spent["EUR"] == 0 && deviceId == "d-1" && productLine == "DEMO" && hour < 24 && now > timestamp("2020-01-01T00:00:00Z") && date > "2020-01-01"';
    const { tenantId, codes } = await seeded({ when, rewardRules: [points('1')] });
    const userId = await seedUser(world, tenantId);
    expect(outcomeOf(await redeem(world, tenantId, userId, codes[0] ?? ''))).toBe('USER_NOT_ELIGIBLE');
    expect(outcomeOf(await redeem(world, tenantId, userId, codes[0] ?? '', { deviceId: 'd-1' }))).toBe(
      'COMMITTED',
    );
  });

  it('reads what the user has paid for, by currency and without what was refunded', async () => {
    const when = '!isNew && paidOrders == 3 && spent["EUR"] == 120 && spent.USD == 7 && spent["CHF"] == 0';
    const { tenantId, codes } = await seeded({ when, rewardRules: [points('1')] });
    const userId = await seedUser(world, tenantId);
    const paid = [
      ['PURCHASE', 'PAID', '100.30', 'EUR', null],
      ['RENEWAL', 'FINISHED', '69.50', 'EUR', '49'],
      ['PURCHASE', 'FINISHED', '7', 'USD', '0'],
      ['PURCHASE', 'REFUNDED', '900', 'CHF', '900'],
      ['RECHARGE', 'FINISHED', '900', 'EUR', null],
      ['PURCHASE', 'PENDING', '900', 'EUR', null],
    ];
    for (const [type, status, amount, currency, refunded] of paid)
      await emOf(world, tenantId).execute(
        `insert into \`order\` (tenant_id, id, user_id, type, status, amount, is_new, currency, refunded, created_at)
          values (?, ?, ?, ?, ?, ?, 0, ?, ?, now(3))`,
        [tenantId, world.services.ids.next(), userId, type, status, amount, currency, refunded],
      );
    expect(outcomeOf(await redeem(world, tenantId, userId, codes[0] ?? ''))).toBe('COMMITTED');
  });

  it('that cannot be evaluated refuses everybody', async () => {
    const { tenantId, codes } = await seeded({ when: 'userTags[5] == "vip"', rewardRules: [points('1')] });
    const userId = await seedUser(world, tenantId, ['vip']);
    expect(outcomeOf(await redeem(world, tenantId, userId, codes[0] ?? ''))).toBe('USER_NOT_ELIGIBLE');
  });
});

describe('a rule with a bad condition', () => {
  it.each([
    ['of the campaign', { when: 'hour > "18"' }, 'EXPRESSION_TYPES_DIFFER', ['when']],
    [
      'of a reward',
      { rewardRules: [points('1'), points('1', { when: 'isNew &&\n vip' })] },
      'EXPRESSION_FACT_UNKNOWN',
      ['rewardRules', '1', 'when'],
    ],
    ['that is too long', { when: `isNew${' '.repeat(1000)}` }, 'EXPRESSION_TOO_LONG', ['when']],
  ])('is refused where it stands when it is saved: %s', async (_of, rule, code, path) => {
    const { tenantId } = await seedTenant(world);
    const whole = { ruleId: 'r', codeType: 'ALPHANUM', ...rule };
    const create = world.services.campaigns.create(tenantId, { name: 'C', rule: whole });
    await expect(create).rejects.toMatchObject({
      code,
      details: { field: ['input', 'rule', ...path], position: { line: expect.any(Number) as number } },
    });
    const { campaign } = await world.services.campaigns.create(tenantId, {
      name: 'C',
      rule: { ruleId: 'r', codeType: 'ALPHANUM' },
    });
    const update = world.services.campaignChanges.update(tenantId, campaign.id, { rule: whole });
    await expect(update).rejects.toMatchObject({ code });
    expect((await world.services.campaignReader.read(tenantId, campaign.id))?.version).toBe(1);
  });

  it('is refused where its conditions may take too many steps together, and names the one that is too much', async () => {
    const { tenantId } = await seedTenant(world);
    const costly = `userTags.all(tag, ${Array.from({ length: 34 }, () => 'hour != 99').join(' && ')})`;
    const ruleOf = (count: number) => ({
      ruleId: 'r',
      codeType: 'ALPHANUM',
      when: costly,
      rewardRules: Array.from({ length: count }, () => points('1', { when: costly })),
    });
    const create = async (count: number) =>
      world.services.campaigns.create(tenantId, { name: 'C', rule: ruleOf(count) });
    await expect(create(3)).rejects.toMatchObject({
      code: 'EXPRESSION_TOO_COSTLY',
      details: { field: ['input', 'rule', 'rewardRules', '1', 'when'] },
    });
    expect((await create(1)).campaign.rule.rewardRules).toHaveLength(1);
  });
});
