import { describe, expect, it } from 'vitest';
import { Code } from '../../src/codes/code.entity.js';
import { Redemption } from '../../src/redemption/history/redemption.entity.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { expectNoDrift, redeemed, reversalOutcome, reverse, stateOf } from '../support/reversals.js';
import {
  emOf,
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUser,
  seedUsers,
  tally,
  type World,
} from '../support/world.js';

/** Two processes on the same stores. */
let worlds: readonly [World, World];
openBeforeAll(async (closing) => {
  worlds = [await closing(openWorld()), await closing(openWorld())];
});

const SIDES = 20;
const either = (at: number): World => worlds[at % 2 === 0 ? 0 : 1];
const times = (count: number) => Array.from({ length: count }, (_, at) => at);

function counted(outcomes: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

describe('a reversal races', () => {
  it('itself from 20 sides: one reverses, and gives the use back once', async () => {
    const tenant = await seedTenant(worlds[0], { inventory: 5 });
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(worlds[0], tenant, 1, { rule: { useLimit: 3 } });
    const users = await seedUsers(worlds[0], tenantId, 2);
    const [first] = await Promise.all(
      users.map(async (userId) => redeemed(worlds[0], tenantId, userId, codes[0] ?? '')),
    );
    const outcomes = await Promise.all(
      times(SIDES).map(async (at) =>
        reversalOutcome(reverse(either(at), tenantId, first?.id ?? '', { returnUse: true })),
      ),
    );
    expect(counted(outcomes)).toEqual({ REVERSED: 1, ALREADY_REVERSED: SIDES - 1 });
    const { codes: rows, events } = await stateOf(worlds[0], tenantId);
    expect(rows).toMatchObject([{ used: 1, lastUseNo: 2 }]);
    expect(events.filter(({ type }) => type === 'redemption_reversed')).toHaveLength(1);
    await expectNoDrift(worlds[0], tenantId);
  });

  it('redemptions of the same single-use code by others: uses never exceed the limit', async () => {
    const tenant = await seedTenant(worlds[0]);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(worlds[0], tenant, 1);
    const [code = ''] = codes;
    const users = await seedUsers(worlds[0], tenantId, SIDES);
    const holder = await seedUser(worlds[0], tenantId);
    const { id } = await redeemed(worlds[0], tenantId, holder, code);
    const [reversed, ...answers] = await Promise.all([
      reversalOutcome(reverse(worlds[0], tenantId, id, { returnUse: true })),
      ...users.map(async (userId, at) => redeem(either(at), tenantId, userId, code)),
    ]);
    expect(reversed).toBe('REVERSED');
    const { COMMITTED: winners = 0, ...rest } = tally(answers);
    expect(winners).toBeLessThanOrEqual(1);
    expect(Object.keys(rest).filter((outcome) => !['CODE_EXHAUSTED', 'CODE_HELD'].includes(outcome))).toEqual(
      [],
    );
    const last = await seedUser(worlds[0], tenantId);
    const late = outcomeOf(await redeem(worlds[1], tenantId, last, code));
    expect(late).toBe(winners === 1 ? 'CODE_EXHAUSTED' : 'COMMITTED');
    const [row] = await emOf(worlds[0], tenantId).find(Code, {}, { disableIdentityMap: true });
    expect(row).toMatchObject({ used: 1, lastUseNo: 2 });
    await expectNoDrift(worlds[0], tenantId);
  });

  it('the same user who redeems the code again, over and over: one redemption is left at most', async () => {
    const tenant = await seedTenant(worlds[0]);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(worlds[0], tenant, 1, {
      campaign: { userLimitTotal: 1, budgetUses: 1 },
    });
    const [code = ''] = codes;
    const userId = await seedUser(worlds[0], tenantId);
    await redeemed(worlds[0], tenantId, userId, code);
    for (let round = 0; round < 10; round += 1) {
      const committed = await emOf(worlds[0], tenantId).find(
        Redemption,
        { status: 'COMMITTED' },
        { disableIdentityMap: true },
      );
      const wish = { returnUse: true, spent: 'DEBT' };
      const [answer] = await Promise.all([
        redeem(either(round), tenantId, userId, code),
        ...committed.map(async ({ id }) => reverse(either(round + 1), tenantId, id, wish)),
      ]);
      expect([
        'COMMITTED',
        'ALREADY_REDEEMED',
        'USER_LIMIT_REACHED',
        'CODE_EXHAUSTED',
        'BUDGET_EXHAUSTED',
      ]).toContain(outcomeOf(answer));
    }
    const { codes: rows, redemptions, usage } = await stateOf(worlds[0], tenantId);
    const holding = redemptions.filter(({ userUseNo }) => userUseNo !== null);
    expect(holding.length).toBeLessThanOrEqual(1);
    expect(rows[0]?.used).toBe(holding.length);
    expect(usage.every(({ uses }) => uses === holding.length)).toBe(true);
    await expectNoDrift(worlds[0], tenantId);
  });

  it('the redemption of codes that extend the same subscription: no time is lost, and none is left over', async () => {
    const tenant = await seedTenant(worlds[0], { unitTime: 'DAY' });
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(worlds[0], tenant, 12);
    const userId = await seedUser(worlds[0], tenantId);
    const before = await Promise.all(
      codes.slice(0, 6).map(async (code) => redeemed(worlds[0], tenantId, userId, code)),
    );
    const outcomes = await Promise.all([
      ...before.map(async ({ id }, at) => reversalOutcome(reverse(either(at), tenantId, id))),
      ...codes.slice(6).map(async (code, at) => outcomeOf(await redeem(either(at), tenantId, userId, code))),
    ]);
    expect(counted(outcomes)).toEqual({ REVERSED: 6, COMMITTED: 6 });
    const { subscriptions } = await stateOf(worlds[0], tenantId);
    const running = subscriptions.filter(({ status }) => status === 'ACTIVE');
    const leftMs = running.reduce((sum, { expiresAt }) => sum + (expiresAt?.getTime() ?? 0) - Date.now(), 0);
    const days = leftMs / 86_400_000;
    expect(days).toBeGreaterThan(5.99);
    expect(days).toBeLessThanOrEqual(6);
    await expectNoDrift(worlds[0], tenantId);
  });

  it('reversals of other users of one code and one budget: each use comes back once', async () => {
    const tenant = await seedTenant(worlds[0], { inventory: 100 });
    const { tenantId, planId } = tenant;
    const rule = { useLimit: SIDES, rewardRules: [{ type: 'SUBSCRIPTION', id: planId, value: '1.5' }] };
    const campaign = { budgetUses: 100, budgetValue: '100' };
    const { codes } = await seedCampaign(worlds[0], tenant, 1, { rule, campaign });
    const users = await seedUsers(worlds[0], tenantId, SIDES);
    const all = await Promise.all(
      users.map(async (userId) => redeemed(worlds[0], tenantId, userId, codes[0] ?? '')),
    );
    const outcomes = await Promise.all(
      all.map(async ({ id }, at) =>
        reversalOutcome(reverse(either(at), tenantId, id, { returnUse: at % 4 !== 0 })),
      ),
    );
    expect(counted(outcomes)).toEqual({ REVERSED: SIDES });
    const { codes: rows, usage } = await stateOf(worlds[0], tenantId);
    expect(rows).toMatchObject([{ used: SIDES / 4, lastUseNo: SIDES }]);
    expect(usage).toMatchObject([{ uses: SIDES / 4, value: '7.5000000000' }]);
    const [plan] = await emOf(worlds[0], tenantId).execute<[{ inventory: number }]>(
      'select inventory from plan where tenant_id = ?',
      [tenantId],
    );
    expect(plan.inventory).toBe(100);
    await expectNoDrift(worlds[0], tenantId);
  });
});
