import { Money, MONEY_MAX } from '../platform/decimal.js';
import type {
  RewardApplication,
  RewardOutcome,
  RewardRefusal,
  RewardReversal,
  RewardSession,
} from '../rewards/reward-handler.js';
import type { RewardRule } from '../rewards/reward-rule.js';
import type { AccountKey } from './account-rows.js';
import type { LedgerSession } from './ledger-session.js';
import type { MoneyTerms } from './money-terms.js';

/** The account that a reward adds to. */
export function accountOf({
  userId,
  rule,
}: Pick<RewardApplication | RewardReversal, 'userId' | 'rule'>): AccountKey {
  return { userId, facilityId: rule.id, currency: rule.currency ?? '' };
}

/** The entry of one reward: unique within its account, so that no reward is given, or taken back, twice. */
export function rewardOrderId({
  redemptionId,
  rewardNo,
}: {
  redemptionId: string;
  rewardNo: number;
}): string {
  return `${redemptionId}:${rewardNo}`;
}

export function amountOf({ amount }: RewardRule): Money {
  return new Money(amount ?? 0);
}

/** Whether the facility and the currency are there and enabled. */
export function isAvailable({ facilities, currencies }: MoneyTerms, { id, currency }: RewardRule): boolean {
  return facilities.get(id)?.enabled === true && currencies.get(currency ?? '')?.enabled === true;
}

/** The locked accounts of one batch of redemptions. */
export class BalanceRewardSession implements RewardSession {
  constructor(
    private readonly ledger: LedgerSession,
    private readonly terms: MoneyTerms,
  ) {}

  refusal(application: RewardApplication): RewardRefusal | null {
    if (!isAvailable(this.terms, application.rule)) return 'CURRENCY_NOT_AVAILABLE';
    const { isHalted, balance } = this.ledger.account(accountOf(application));
    if (isHalted) return 'ACCOUNT_HALTED';
    // No column holds more; only a mistake in amounts leads there.
    const isTooLarge = balance.plus(amountOf(application.rule)).greaterThan(MONEY_MAX);
    return isTooLarge ? 'CURRENCY_NOT_AVAILABLE' : null;
  }

  hasEffect(): boolean {
    return true;
  }

  apply(application: RewardApplication): RewardOutcome {
    const orderId = rewardOrderId(application);
    const amount = amountOf(application.rule);
    const { id } = this.ledger.change(accountOf(application), { type: 'REWARD', orderId, amount });
    return { targetId: id };
  }

  async flush(): Promise<void> {
    await Promise.all([this.ledger.flush(), this.ledger.dropUnused()]);
  }
}
