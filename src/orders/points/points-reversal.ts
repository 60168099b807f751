import type { Em } from '../../platform/database/orm.js';
import { invariant, present } from '../../platform/assert.js';
import { DomainError } from '../../platform/errors.js';
import { sortedIds, type Id, type IdGenerator } from '../../platform/ids.js';
import type { RewardReversal, ReversedReward, SpentRewards } from '../../rewards/reward-handler.js';
import { changeLot, lockAccount, lotsById } from './points-account.js';
import { isLotExpired } from './points-lots.js';
import { PointsLedger, type PointsAccount, type PointsLot } from './points.entity.js';

interface ReversalTerms {
  readonly spent: SpentRewards;
  readonly now: Date;
}

/**
 * Takes the points of rewards back: what is left of each lot goes, and the lot expires, so that what an order gives
 * back to it is not usable any more.
 * @throws DomainError REWARD_SPENT
 */
export async function reversePoints(
  em: Em,
  tenantId: string,
  ids: IdGenerator,
  reversals: readonly RewardReversal[],
  { spent, now }: ReversalTerms,
): Promise<ReversedReward[]> {
  const accounts = new Map<Id, PointsAccount>();
  for (const userId of sortedIds(reversals.map((reversal) => reversal.userId)))
    accounts.set(userId, present(await lockAccount(em, userId), 'The account of a reward'));
  const lots = await lotsById(
    em,
    reversals.map(({ targetId }) => targetId),
  );
  const reversed: ReversedReward[] = [];
  for (const reversal of reversals) {
    const lot = present(lots.get(reversal.targetId), 'The points of a reward');
    invariant(
      lot.redemptionId === reversal.redemptionId,
      'The points of a reward are of another redemption.',
    );
    const debt = lot.spent === 0 ? null : `${lot.spent} points`;
    if (debt !== null && spent === 'REFUSE') throw refusalOf(reversal, debt);
    const account = present(accounts.get(reversal.userId), 'The account of a reward');
    await takeBack(em, tenantId, ids.next(), lot, account, now);
    reversed.push({ debt });
  }
  await em.flush();
  return reversed;
}

async function takeBack(
  em: Em,
  tenantId: string,
  entryId: Id,
  lot: PointsLot,
  account: PointsAccount,
  now: Date,
): Promise<void> {
  em.create(PointsLedger, {
    tenantId,
    id: entryId,
    userId: lot.userId,
    action: 'REWARD_REVERSAL',
    points: lot.remaining === 0 ? 0 : -lot.remaining,
    lotId: lot.id,
    cause: 'REDEMPTION',
    createdAt: now,
  });
  account.balance -= lot.remaining;
  account.updatedAt = now;
  await changeLot(em, lot.id, {
    remaining: 0,
    ...(!isLotExpired(lot, now.getTime()) && { expiresAt: now }),
  });
}

function refusalOf({ rewardNo }: RewardReversal, debt: string): DomainError {
  return new DomainError(
    'REWARD_SPENT',
    `Reward ${rewardNo} gave points of which orders have ${debt}. Reverse it with \`spent: DEBT\` to state that as a debt.`,
    { field: ['input', 'spent'], rewardNo },
  );
}
