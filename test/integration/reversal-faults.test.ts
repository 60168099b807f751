import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { failAt, loseNextCommit, statementCount } from '../support/failing-statements.js';
import { ALL_FOUR, fourRules, holdingsOf, openGifts } from '../support/four-rewards.js';
import { expectNoDrift, redeemed, reversalOutcome, reverse, stateOf } from '../support/reversals.js';
import { openWorld, outcomeOf, redeem, seedCampaign, seedUser, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());
afterEach(() => vi.restoreAllMocks());

const WISH = { returnUse: true };

async function redeemedOnce() {
  const gifts = await openGifts(world, { inventory: 5 });
  const { tenantId } = gifts;
  const campaign = { userLimitTotal: 3, budgetUses: 9 };
  const rule = { rewardRules: fourRules(gifts) };
  const { codes } = await seedCampaign(world, gifts, 1, { campaign, rule });
  const [code = ''] = codes;
  const userId = await seedUser(world, tenantId);
  const redemption = await redeemed(world, tenantId, userId, code);
  return { gifts, tenantId, code, userId, redemption };
}

async function countOfReversal(): Promise<number> {
  const { tenantId, redemption } = await redeemedOnce();
  return statementCount(world, async () => reverse(world, tenantId, redemption.id, WISH));
}

describe('a reversal', () => {
  it('changes nothing when any of its statements fails, and can be tried again', async () => {
    const count = await countOfReversal();
    expect(count).toBeGreaterThan(30);
    const { gifts, tenantId, redemption, userId } = await redeemedOnce();
    const before = await stateOf(world, tenantId);
    for (let place = 1; place <= count; place += 1) {
      failAt(world, place);
      await expect(reverse(world, tenantId, redemption.id, WISH)).rejects.toThrow('was made to fail');
      vi.restoreAllMocks();
      expect(await stateOf(world, tenantId), `statement ${place}`).toEqual(before);
      expect(await holdingsOf(gifts, userId), `statement ${place}`).toEqual(ALL_FOUR);
    }
    expect(await reversalOutcome(reverse(world, tenantId, redemption.id, WISH))).toBe('REVERSED');
    await expectNoDrift(world, tenantId);
  }, 120_000);

  it('is answered as done when only the reply to its COMMIT was lost', async () => {
    const { tenantId, redemption, userId, code } = await redeemedOnce();
    loseNextCommit(world, { isApplied: true });
    expect(await reversalOutcome(reverse(world, tenantId, redemption.id, WISH))).toBe('REVERSED');
    const { codes, events } = await stateOf(world, tenantId);
    expect(codes).toMatchObject([{ used: 0 }]);
    expect(events.filter(({ type }) => type === 'redemption_reversed')).toHaveLength(1);
    expect(outcomeOf(await redeem(world, tenantId, userId, code))).toBe('COMMITTED');
    await expectNoDrift(world, tenantId);
  });

  it('is done once when its COMMIT was lost on the way', async () => {
    const { tenantId, redemption } = await redeemedOnce();
    loseNextCommit(world, { isApplied: false });
    expect(await reversalOutcome(reverse(world, tenantId, redemption.id, WISH))).toBe('REVERSED');
    const { events } = await stateOf(world, tenantId);
    expect(events.filter(({ type }) => type === 'redemption_reversed')).toHaveLength(1);
    await expectNoDrift(world, tenantId);
  });

  it('by another does not pass for its own after a lost reply', async () => {
    const { tenantId, redemption } = await redeemedOnce();
    loseNextCommit(world, { isApplied: false });
    const lost = reverse(world, tenantId, redemption.id, { reason: 'one' });
    const other = reverse(world, tenantId, redemption.id, { reason: 'another' });
    const outcomes = await Promise.all([lost, other].map(reversalOutcome));
    expect(outcomes.toSorted()).toEqual(['ALREADY_REVERSED', 'REVERSED']);
    await expectNoDrift(world, tenantId);
  });

  it('runs again as a whole after a deadlock, a lock timeout or a changed record', async () => {
    const count = await countOfReversal();
    for (const [at, errno] of [1213, 1205, 1020].entries()) {
      const { tenantId, redemption } = await redeemedOnce();
      failAt(world, count - 4 * at, Object.assign(new Error('planted'), { errno }));
      expect(await reversalOutcome(reverse(world, tenantId, redemption.id, WISH))).toBe('REVERSED');
      vi.restoreAllMocks();
      const { events } = await stateOf(world, tenantId);
      expect(events.filter(({ type }) => type === 'redemption_reversed')).toHaveLength(1);
      await expectNoDrift(world, tenantId);
    }
  }, 60_000);

  it('stands when Redis does not answer afterwards; the consumer of its event makes it good', async () => {
    const { tenantId, redemption, userId, code } = await redeemedOnce();
    vi.spyOn(world.stores.redis, 'del').mockRejectedValue(new Error('Connection is closed.'));
    expect(await reversalOutcome(reverse(world, tenantId, redemption.id, WISH))).toBe('REVERSED');
    vi.restoreAllMocks();
    const { events } = await stateOf(world, tenantId);
    const told = events.filter(({ type }) => type === 'redemption_reversed');
    await world.services.reversals.follow(tenantId, told as never);
    expect(outcomeOf(await redeem(world, tenantId, userId, code))).toBe('COMMITTED');
    await expectNoDrift(world, tenantId);
  });
});
