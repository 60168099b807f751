import type { Config } from '../config.js';
import { externalUserIdOf, type ExternalUserIds, type UserHolding } from '../identity/identity.module.js';
import type { PlatformServices } from '../platform/platform-services.js';
import type { RewardHandler } from '../rewards/reward-handler.js';
import type { RewardType } from '../rewards/reward-rule.js';
import { Account } from './account.entity.js';
import { AccountResolver } from './account.resolver.js';
import { AccountService } from './account.service.js';
import { BalanceRewardHandler } from './balance-reward.handler.js';
import { Currency } from './currency.entity.js';
import { CurrencyResolver } from './currency.resolver.js';
import { CurrencyService } from './currency.service.js';
import { Entry } from './entry.entity.js';
import { Facility } from './facility.entity.js';
import { FacilityService } from './facility.service.js';
import { LedgerService } from './ledger.service.js';
import { MONEY_CHECKS } from './money.checks.js';
import { moneyMetrics, type MoneyMetrics } from './money.metrics.js';
import { AccountType, EntryObjectType } from './money.types.js';
import { SystemEntry } from './system-entry.entity.js';
import { Transfer, TransferDay } from './transfer.entity.js';
import { TransferService } from './transfer.service.js';
import { TrialBalanceResolver } from './trial-balance.resolver.js';
import { TrialBalanceService } from './trial-balance.service.js';
import { MONEY_PERMISSIONS } from './money.permissions.js';

interface Needs extends Pick<
  PlatformServices,
  'orm' | 'readOrm' | 'ids' | 'clock' | 'transactions' | 'outbox' | 'log'
> {
  readonly config: Config;
  readonly metrics: MoneyMetrics;
  readonly externalUserIds: ExternalUserIds;
  readonly handlers: Map<RewardType, RewardHandler>;
  readonly userHoldings: UserHolding[];
}

const AccountUser = externalUserIdOf(AccountType);
const EntryUser = externalUserIdOf(EntryObjectType);

/** What users own: balances, the entries that explain them, and transfers. */
export const money = {
  name: 'money',
  entities: [Currency, Facility, Account, Entry, SystemEntry, Transfer, TransferDay],
  resolvers: [CurrencyResolver, AccountResolver, AccountUser, EntryUser, TrialBalanceResolver],
  permissions: MONEY_PERMISSIONS,
  checks: MONEY_CHECKS,
  metrics: moneyMetrics,
  compose: (its: Needs) => {
    const { externalUserIds } = its;
    const currencies = new CurrencyService(its);
    const facilities = new FacilityService(its);
    const ledger = new LedgerService(its);
    const accounts = new AccountService({ ...its, ledger });
    const transfers = new TransferService({ ...its, ledger, timeZone: its.config.MONEY_TIME_ZONE });
    const rewards = new BalanceRewardHandler(its.orm, ledger);
    its.handlers.set(rewards.type, rewards);
    its.userHoldings.push({
      name: 'a balance',
      isHeld: async (em, _tenantId, userId) =>
        (await em.count(Account, { userId, balance: { $gt: '0' } })) > 0,
    });
    return {
      services: { currencies, facilities, ledger, accounts, transfers },
      resolvers: [
        new CurrencyResolver(currencies, facilities),
        new AccountResolver(accounts, transfers),
        new AccountUser(externalUserIds),
        new EntryUser(externalUserIds),
        new TrialBalanceResolver(new TrialBalanceService(its)),
      ],
    };
  },
};
