import type { MikroORM } from '@mikro-orm/core';
import { Money } from '../platform/decimal.js';
import { DomainError } from '../platform/errors.js';
import { isId, type Id } from '../platform/ids.js';
import { tenantEm, type Em } from '../platform/database/orm.js';
import { ReadCache } from '../platform/read-cache.js';
import type {
  ReversedReward,
  RewardApplication,
  RewardForecast,
  RewardHandler,
  RewardRefusal,
  RewardReversal,
  RewardSession,
  RewardTarget,
  SpentRewards,
} from '../rewards/reward-handler.js';
import type { RewardRule } from '../rewards/reward-rule.js';
import {
  accountOf,
  amountOf,
  BalanceRewardSession,
  isAvailable,
  rewardOrderId,
} from './balance-reward.session.js';
import { refuseHalted, type LedgerService } from './ledger.service.js';
import type { LedgerSession } from './ledger-session.js';
import { readTerms, type MoneyTerms } from './money-terms.js';

/** Adds money to a user's account. */
export class BalanceRewardHandler implements RewardHandler {
  readonly type = 'BALANCE';
  /** By facility and currency. */
  private readonly terms: ReadCache<MoneyTerms>;

  constructor(
    private readonly orm: MikroORM,
    private readonly ledger: LedgerService,
  ) {
    this.terms = new ReadCache(async (tenantId, key) => {
      const [facilityId = '', currency = ''] = key.split(' ');
      return this.read(tenantId, { facilityId, currency });
    });
  }

  async target(tenantId: string, rule: RewardRule): Promise<RewardTarget | null> {
    const { facilities, currencies } = await this.read(tenantId, accountOf({ userId: '0', rule }));
    if (!facilities.has(rule.id)) return null;
    const currency = currencies.get(rule.currency ?? '');
    if (currency === undefined) return { unit: null, fault: 'REWARD_CURRENCY_NOT_FOUND' };
    const isPrecise = amountOf(rule).decimalPlaces() > currency.scale;
    return { unit: null, fault: isPrecise ? 'REWARD_AMOUNT_TOO_PRECISE' : null };
  }

  /** From what was read at most a second ago; whether an account is halted is left to the commit. */
  async precheck(tenantId: string, _userId: Id, rules: readonly RewardRule[]): Promise<RewardRefusal | null> {
    for (const rule of rules) {
      const terms = await this.terms.find(tenantId, `${rule.id} ${rule.currency ?? ''}`);
      if (terms === null || !isAvailable(terms, rule)) return 'CURRENCY_NOT_AVAILABLE';
    }
    return null;
  }

  async forecast(_tenantId: string, _userId: Id, rules: readonly RewardRule[]): Promise<RewardForecast[]> {
    return rules.map(() => ({ unit: null, expiresAt: null, hasEffect: true }));
  }

  async begin(em: Em, tenantId: string, applications: readonly RewardApplication[]): Promise<RewardSession> {
    const keys = applications.map(accountOf);
    const places = keys.map(({ facilityId, currency }) => ({ facilityId, currency }));
    // Asked for together, and so sent together.
    const [terms, session] = await Promise.all([
      readTerms(em, tenantId, places),
      this.ledger.open(em, tenantId, keys),
    ]);
    return new BalanceRewardSession(session, terms);
  }

  async reverse(
    em: Em,
    tenantId: string,
    reversals: readonly RewardReversal[],
    spent: SpentRewards,
  ): Promise<ReversedReward[]> {
    const session = await this.ledger.open(em, tenantId, reversals.map(accountOf));
    const reversed = reversals.map((reversal) => takeBack(session, reversal, spent));
    await session.flush();
    return reversed;
  }

  /** Balances have no copies. */
  async afterCommit(): Promise<void> {}

  private async read(
    tenantId: string,
    { facilityId, currency }: { readonly facilityId: string; readonly currency: string },
  ): Promise<MoneyTerms> {
    const places = isId(facilityId) ? [{ facilityId, currency }] : [];
    return readTerms(tenantEm(this.orm, tenantId), tenantId, places);
  }
}

/** Takes the amount from what is there; the rest has been spent. */
function takeBack(session: LedgerSession, reversal: RewardReversal, spent: SpentRewards): ReversedReward {
  const key = accountOf(reversal);
  const account = session.account(key);
  refuseHalted(account);
  const amount = amountOf(reversal.rule);
  const taken = Money.min(amount, account.balance);
  const missing = amount.minus(taken);
  const debt = missing.isZero() ? null : `${missing.toFixed()} ${key.currency}`;
  if (debt !== null && spent === 'REFUSE') {
    const message = `${debt} of reward ${reversal.rewardNo} have been spent already.`;
    throw new DomainError('REWARD_SPENT', message, { rewardNo: reversal.rewardNo });
  }
  if (!taken.isZero()) {
    const movement = { type: 'REWARD_REVERSAL', orderId: rewardOrderId(reversal) } as const;
    session.change(key, { ...movement, amount: taken.negated() });
  }
  return { debt };
}
