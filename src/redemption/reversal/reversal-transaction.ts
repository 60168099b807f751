import { lockUsage } from '../../campaigns/campaign-usage.service.js';
import type { OrderService } from '../../orders/orders/order.service.js';
import type { Em } from '../../platform/database/orm.js';
import type { Outbox } from '../../platform/outbox/outbox.js';
import type { RewardHandlers } from '../../rewards/reward-handler.js';
import type { ReturnedUse } from '../claim/returned-uses.redis.js';
import { orderNoOf, type RedemptionRecord } from '../history/redemption-record.js';
import { reversedEvent } from './reversal-event.js';
import type { Reversal } from './reversal-input.js';
import { lockedRedemption, markReversed, moveTotals, refusal, sharedCampaign } from './reversal-rows.js';
import { takeRewardsBack } from './reward-reversals.js';
import { countedUse, lockedCode, returnUse, returnedBefore } from './use-return.js';
import { operationIsAbout } from '../../platform/recording/recording-em.js';

export interface Reversed {
  readonly record: RedemptionRecord;
  /** Null where the use stays spent. */
  readonly returned: ReturnedUse | null;
}

/**
 * Reverses one redemption in one transaction. Locks in the one order of all transactions: the user first, so that
 * nothing else happens to this user's redemptions meanwhile, then the order, the code, the campaign, what the rewards
 * need, usage counters, totals, and last the counter of events.
 */
export class ReversalTransaction {
  constructor(
    private readonly orders: OrderService,
    private readonly handlers: RewardHandlers,
    private readonly outbox: Outbox,
  ) {}

  /**
   * @param readsBack whether an earlier run may have done it, and only the reply to its COMMIT was lost
   * @throws DomainError REDEMPTION_NOT_FOUND ALREADY_REVERSED REWARD_SPENT ACCOUNT_HALTED
   */
  async run(em: Em, reversal: Reversal, readsBack: boolean): Promise<Reversed> {
    const before = await lockedRedemption(em, reversal.redemptionId);
    operationIsAbout(em, { type: 'redemption', id: before.id });
    if (before.status === 'REVERSED') return reversedBefore(em, before, reversal, readsBack);
    await this.orders.refundRedemptionOrder(em, reversal.tenantId, orderNoOf(before.id));
    const code = reversal.returnUse ? await lockedCode(em, before.codeId) : null;
    const campaign = await sharedCampaign(em, before.campaignId);
    const debts = await takeRewardsBack(em, this.handlers, before, campaign.rule, reversal);
    // Counters that are made only here still count the redemption, so they come before its row is marked.
    const counted = countedUse(before, campaign);
    const usage = await lockUsage(em, reversal.tenantId, code === null ? [] : [counted]);
    const record = await markReversed(em, before, reversal, debts);
    if (code !== null) usage.uncount(counted);
    await usage.flush();
    const returned = code === null ? null : await returnUse(em, before, code, campaign);
    await moveTotals(em, before, code);
    this.outbox.append(em, reversal.tenantId, [reversedEvent(record, returned)]);
    return { record, returned };
  }
}

async function reversedBefore(
  em: Em,
  row: RedemptionRecord,
  { at, by, reason }: Reversal,
  readsBack: boolean,
): Promise<Reversed> {
  const { reversedAt, reversedBy, reversalReason } = row;
  // Of the same call, instant, caller and reason are those of the row.
  const isOwn = reversedAt?.getTime() === at.getTime() && reversedBy === by && reversalReason === reason;
  if (!readsBack || !isOwn) {
    const instant = reversedAt?.toISOString() ?? 'an unknown instant';
    throw refusal('ALREADY_REVERSED', `The redemption was reversed at ${instant}. It is reversed once only.`);
  }
  return { record: row, returned: row.userUseNo === null ? await returnedBefore(em, row) : null };
}
