import { LockMode, raw, type RawQueryFragment } from '@mikro-orm/core';
import { Campaign } from '../../campaigns/campaign.entity.js';
import { usageDay, type UsageWanted } from '../../campaigns/campaign-usage.service.js';
import { Code } from '../../codes/code.entity.js';
import { invariant, present } from '../../platform/assert.js';
import type { Em } from '../../platform/database/orm.js';
import { Money } from '../../platform/decimal.js';
import type { Id } from '../../platform/ids.js';
import type { ReturnedUse } from '../claim/returned-uses.redis.js';
import type { RedemptionRecord } from '../history/redemption-record.js';

const PLAIN = { disableIdentityMap: true } as const;

export async function lockedCode(em: Em, id: Id): Promise<Code> {
  const code = await em.findOne(Code, { id }, { ...PLAIN, lockMode: LockMode.PESSIMISTIC_WRITE });
  return present(code, 'The code of a redemption');
}

/** What the redemption counts for in the limits of its campaign. */
export function countedUse(
  { userId, claimedAt, rewards }: RedemptionRecord,
  campaign: Campaign,
): UsageWanted {
  const value = rewards.reduce((sum, reward) => sum.add(reward.value), new Money(0));
  return { campaign, userId, atMs: claimedAt.getTime(), value };
}

/** The code can be redeemed once more, by the same user too. Its use number is never given again. */
export async function returnUse(
  em: Em,
  before: RedemptionRecord,
  code: Code,
  campaign: Campaign,
): Promise<ReturnedUse> {
  const fewer = { used: changed('used - 1'), version: changed('version + 1') };
  const given = await em.nativeUpdate(Code, { id: code.id, used: { $gt: 0 } }, fewer);
  invariant(given === 1, 'A redemption held a use that its code does not count.');
  return returnedUse(before, { ...code, version: code.version + 1 }, campaign);
}

/** The use that an earlier run has given back; a newer version of the code than it made is as good. */
export async function returnedBefore(em: Em, row: RedemptionRecord): Promise<ReturnedUse> {
  const code = present(await em.findOne(Code, { id: row.codeId }, PLAIN), 'The code of a redemption');
  const campaign = await em.findOne(Campaign, { id: row.campaignId }, PLAIN);
  return returnedUse(row, code, present(campaign, 'The campaign of a redemption'));
}

function returnedUse(row: RedemptionRecord, code: Code, campaign: Campaign): ReturnedUse {
  const { id: redemptionId, userId, campaignId, claimedAt } = row;
  return {
    redemptionId,
    userId,
    digest: code.codeDigest,
    codeVersion: code.version,
    campaignId,
    campaignVersion: campaign.version,
    day: usageDay({ campaign, atMs: claimedAt.getTime() }),
  };
}

const changed = (sql: string): RawQueryFragment => raw<RawQueryFragment>(sql);
