import { LockMode } from '@mikro-orm/core';
import { Campaign } from '../../campaigns/campaign.entity.js';
import { moveCodeTotals } from '../../codes/code-totals.service.js';
import type { Code } from '../../codes/code.entity.js';
import { User } from '../../identity/users/user.entity.js';
import { invariant, isSet, present } from '../../platform/assert.js';
import { addUp } from '../../platform/database/insert-rows.js';
import type { Em } from '../../platform/database/orm.js';
import { dayOf, UTC } from '../../platform/zoned-time.js';
import { DomainError } from '../../platform/errors.js';
import { isId, type Id } from '../../platform/ids.js';
import { withRewards } from '../history/redemption-reader.js';
import { rewardBits, type RedemptionRecord } from '../history/redemption-record.js';
import { Redemption } from '../history/redemption.entity.js';
import { RewardGrant } from '../history/reward-grant.entity.js';
import type { ReverseRedemptionRefusal } from '../redemption.errors.js';
import type { Reversal } from './reversal-input.js';

const PLAIN = { disableIdentityMap: true } as const;

/** Under the lock of its user's row, which every reversal and every redemption of the user takes first. */
export async function lockedRedemption(em: Em, id: Id): Promise<RedemptionRecord> {
  const found = isId(id) ? await em.findOne(Redemption, { id }, PLAIN) : null;
  if (found === null || found.status === 'ABORTED')
    throw refusal('REDEMPTION_NOT_FOUND', 'The tenant has no redemption with this id.');
  await em.findOne(User, { id: found.userId }, { ...PLAIN, lockMode: LockMode.PESSIMISTIC_WRITE });
  const [record] = await withRewards(em, await em.find(Redemption, { id }, PLAIN));
  return present(record, 'A redemption');
}

/** The rule says what each reward was; its limits cannot change while counters are moved. */
export async function sharedCampaign(em: Em, id: Id): Promise<Campaign> {
  const shared = { ...PLAIN, lockMode: LockMode.PESSIMISTIC_READ } as const;
  return present(await em.findOne(Campaign, { id }, shared), 'The campaign of a redemption');
}

/** Moves the redemption and its grants from one state to the other; a row that is in another state is a defect. */
export async function markReversed(
  em: Em,
  before: RedemptionRecord,
  { at, by, reason, returnUse }: Reversal,
  debts: ReadonlyMap<number, string>,
): Promise<RedemptionRecord> {
  const marks = {
    status: 'REVERSED' as const,
    reversedAt: at,
    reversedBy: by,
    reversalReason: reason,
    ...(returnUse && { userUseNo: null }),
  };
  const changed = await em.nativeUpdate(Redemption, { id: before.id, status: 'COMMITTED' }, marks);
  invariant(changed === 1, 'A committed redemption was changed while its user was locked.');
  const rewards = before.rewards.map((grant) => ({
    ...grant,
    status: 'REVERSED' as const,
    debt: debts.get(grant.rewardNo) ?? null,
  }));
  for (const { redemptionId, rewardNo, status, debt } of rewards) {
    const granted = { redemptionId, rewardNo, status: 'GRANTED' as const };
    const moved = await em.nativeUpdate(RewardGrant, granted, { status, debt });
    invariant(moved === 1, 'A reward of a committed redemption is not GRANTED.');
  }
  return { ...before, ...marks, rewards };
}

/**
 * What lists count.
 * @param code as it was, where its use comes back: it may have been used up
 */
export async function moveTotals(em: Em, before: RedemptionRecord, code: Code | null): Promise<void> {
  const counted = {
    tenant_id: before.tenantId,
    campaign_id: before.campaignId,
    batch_id: before.batchId,
    day: dayOf(before.claimedAt.getTime(), UTC),
    rewards: rewardBits(before.rewards),
  };
  await addUp(em, 'redemption_total', [
    { ...counted, status: 'COMMITTED', total: -1 },
    { ...counted, status: 'REVERSED', total: 1 },
  ]);
  // Deleted codes are in no list.
  if (code === null || isSet(code.deletedAt)) return;
  await moveCodeTotals(em, [
    { like: code, by: -1 },
    { like: { ...code, used: code.used - 1 }, by: 1 },
  ]);
}

export function refusal(code: ReverseRedemptionRefusal, message: string): DomainError {
  return new DomainError(code, message, { field: ['input', 'redemptionId'] });
}
