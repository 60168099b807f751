import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RewardGrant } from '../../src/redemption/history/reward-grant.entity.js';
import {
  counted,
  ledgerOf,
  makeMoneyScene,
  outcomeOf as outcome,
  USD,
  type MoneyScene,
} from '../support/money-world.js';
import { openClaim } from '../support/open-claim.js';
import { driftsOf, reconcilerOf } from '../support/reconciliation.js';
import { redeemed, reversalOutcome, reverse } from '../support/reversals.js';
import { emOf, openWorld, outcomeOf, redeem, seedCampaign, seedUsers, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

/** Codes that give a user 2.50 and 1.00 each. */
async function makeCampaign(scene: MoneyScene, count: number, rule: Record<string, unknown> = {}) {
  const { tenantId, facilityId } = scene;
  await world.services.lines.create(tenantId, { code: 'DEMO', name: 'Demo', hourLimit: 0, dayLimit: 0 });
  const reward = { type: 'BALANCE', id: facilityId, currency: USD };
  const rewardRules = [
    { ...reward, amount: '2.50' },
    { ...reward, amount: '1' },
  ];
  return seedCampaign(world, { tenantId, planId: '' }, count, { rule: { rewardRules, ...rule } });
}

async function expectSound(scene: MoneyScene): Promise<void> {
  const { tenantId } = scene;
  const report = await reconcilerOf(world).reconciler.run({ tenantId, repair: false });
  const { EVENT_UNHANDLED: _, ...drifts } = driftsOf(report);
  expect(drifts).toEqual({});
}

describe('a BALANCE reward', () => {
  it('S0.8 adds to the balance, an entry for each reward, once, also where the claim is delivered again', async () => {
    const scene = await makeMoneyScene(world, 1);
    const { tenantId } = scene;
    const [userId = ''] = scene.users;
    const { codes } = await makeCampaign(scene, 1);
    const claim = await openClaim(world, { tenantId, planId: '' }, codes[0] ?? '', userId);
    const outcomes = await Promise.all([1, 2, 3].map(async () => world.services.groupCommit.settle(claim)));
    expect(outcomes.map(({ kind }) => kind).toSorted()).toContain('COMMITTED');
    expect(await scene.balance(userId)).toBe('3.5');
    const id = claim.redemptionId;
    const entries = await scene.sql<{ id: string; order: string }>(
      'select cast(id as char) as id, order_id as `order` from money_entry where tenant_id = ? order by entry_no',
      [tenantId],
    );
    expect(entries.map(({ order }) => order)).toEqual([`${id}:0`, `${id}:1`]);
    const grants = await emOf(world, tenantId).find(RewardGrant, {}, { orderBy: { rewardNo: 'asc' } });
    expect(grants.map(({ type, targetId }) => [type, targetId])).toEqual(
      entries.map((entry) => ['BALANCE', entry.id]),
    );
    expect(await ledgerOf(scene)).toMatchObject({ entries: 2, systemEntries: 2, sum: '0', faults: [] });
    await expectSound(scene);
  });

  it('S0.8 is given once for each of 60 codes that 20 users redeem at once', async () => {
    const scene = await makeMoneyScene(world, 20);
    const { codes } = await makeCampaign(scene, 60);
    const answers = codes.map(async (code, at) =>
      outcomeOf(await redeem(world, scene.tenantId, scene.users[at % 20] ?? '', code)),
    );
    expect(counted(await Promise.all(answers))).toEqual({ COMMITTED: 60 });
    for (const user of scene.users) expect(await scene.balance(user)).toBe('10.5');
    expect(await ledgerOf(scene)).toMatchObject({
      entries: 120,
      accounts: 20,
      held: '210',
      sum: '0',
      faults: [],
    });
    await expectSound(scene);
  });

  it('is refused before the claim where its currency or facility is disabled', async () => {
    const scene = await makeMoneyScene(world, 2);
    const { tenantId, facilityId } = scene;
    const [first = '', second = ''] = scene.users;
    const { codes } = await makeCampaign(scene, 2);
    const [a = '', b = ''] = codes;
    await world.services.facilities.update(tenantId, facilityId, { enabled: false });
    expect(outcomeOf(await redeem(world, tenantId, first, a))).toBe('CURRENCY_NOT_AVAILABLE');
    await world.services.facilities.update(tenantId, facilityId, { enabled: true });
    const claim = await openClaim(world, { tenantId, planId: '' }, b, second);
    await world.services.currencies.update(tenantId, USD, { enabled: false });
    // Too late for the precheck: the commit decides.
    expect(await world.services.groupCommit.settle(claim)).toMatchObject({
      kind: 'REFUSED',
      refusal: 'CURRENCY_NOT_AVAILABLE',
    });
    expect(await ledgerOf(scene)).toMatchObject({ accounts: 0, entries: 0, systemEntries: 0 });
  });

  it('S3.3 is refused into an account that does not match its entries, and halts it; others of the batch get theirs', async () => {
    const scene = await makeMoneyScene(world, 3);
    const { tenantId } = scene;
    const [broken = '', ...sound] = scene.users;
    await scene.fund(broken, '10');
    await scene.sql('update money_account set balance = 11 where tenant_id = ?', [tenantId]);
    const { codes } = await makeCampaign(scene, 3);
    const answers = scene.users.map(async (user, at) =>
      outcomeOf(await redeem(world, tenantId, user, codes[at] ?? '')),
    );
    expect(await Promise.all(answers)).toEqual(['ACCOUNT_HALTED', 'COMMITTED', 'COMMITTED']);
    const [account] = await scene.sql<{ at: unknown }>(
      'select halted_at as at from money_account where tenant_id = ? and user_id = ?',
      [tenantId, broken],
    );
    expect(account?.at).not.toBeNull();
    for (const user of sound) expect(await scene.balance(user)).toBe('3.5');
  });

  it('is saved only with a facility, a currency and an amount that there are', async () => {
    const scene = await makeMoneyScene(world, 1);
    const { tenantId, facilityId } = scene;
    const saved = async (reward: Record<string, unknown>): Promise<string> => {
      const rule = { ruleId: 'r', codeType: 'ALPHANUM', length: 16 };
      const rewardRules = [{ type: 'BALANCE', id: facilityId, currency: USD, amount: '1', ...reward }];
      return outcome(
        world.services.campaigns.create(tenantId, { name: 'C', rule: { ...rule, rewardRules } }),
      );
    };
    expect(await saved({})).toBe('OK');
    expect(await saved({ currency: 'NONE' })).toBe('REWARD_CURRENCY_NOT_FOUND');
    expect(await saved({ amount: '0.001' })).toBe('REWARD_AMOUNT_TOO_PRECISE');
    expect(await saved({ id: '7' })).not.toBe('OK');
  });
});

describe('X.9 a reversal of a BALANCE reward', () => {
  async function makeRedeemed(scene: MoneyScene) {
    const { codes } = await makeCampaign(scene, 1);
    const [userId = ''] = scene.users;
    const redemption = await redeemed(world, scene.tenantId, userId, codes[0] ?? '');
    return { userId, id: redemption.id };
  }

  it('takes the money back by reversing entries, once', async () => {
    const scene = await makeMoneyScene(world, 1);
    const { userId, id } = await makeRedeemed(scene);
    expect(await reversalOutcome(reverse(world, scene.tenantId, id))).toBe('REVERSED');
    expect(await scene.balance(userId)).toBe('0');
    expect(await reversalOutcome(reverse(world, scene.tenantId, id))).not.toBe('REVERSED');
    expect(await ledgerOf(scene)).toMatchObject({
      entries: 4,
      systemEntries: 4,
      held: '0',
      sum: '0',
      faults: [],
    });
    await expectSound(scene);
  });

  it('is refused where the money has been spent, or takes what is left and states the debt', async () => {
    const scene = await makeMoneyScene(world, 2);
    const { userId, id } = await makeRedeemed(scene);
    await scene.transfer(userId, scene.users[1] ?? '', '2');
    const before = await ledgerOf(scene);
    expect(await reversalOutcome(reverse(world, scene.tenantId, id, { spent: 'REFUSE' }))).toBe(
      'REWARD_SPENT',
    );
    expect(await ledgerOf(scene)).toEqual(before);
    await reverse(world, scene.tenantId, id, { spent: 'DEBT' });
    expect(await scene.balance(userId)).toBe('0');
    const grants = await emOf(world, scene.tenantId).execute(
      'select debt from reward_grant where tenant_id = ? order by reward_no',
      [scene.tenantId],
    );
    expect(grants).toEqual([{ debt: '1 USD' }, { debt: '1 USD' }]);
    expect(await ledgerOf(scene)).toMatchObject({ held: '2', sum: '0', faults: [] });
    await expectSound(scene);
  });

  it('races with spending the reward: the money is taken back or spent, never both', async () => {
    for (let round = 0; round < 8; round += 1) {
      const scene = await makeMoneyScene(world, 1);
      const { userId, id } = await makeRedeemed(scene);
      const [other = ''] = await seedUsers(world, scene.tenantId, 1);
      const [spent, reversed] = await Promise.all([
        outcome(scene.transfer(userId, other, '3.5')),
        reversalOutcome(reverse(world, scene.tenantId, id)),
      ]);
      expect([
        ['OK', 'REWARD_SPENT'],
        ['INSUFFICIENT_BALANCE', 'REVERSED'],
      ]).toContainEqual([spent, reversed]);
      expect(await ledgerOf(scene)).toMatchObject({ sum: '0', faults: [] });
    }
  });
});
