import { Counter, type Registry } from 'prom-client';

export type MoneyMetrics = ReturnType<typeof moneyMetrics>;

export function moneyMetrics(registry: Registry) {
  return {
    accountsHalted: new Counter({
      name: 'money_accounts_halted_total',
      help: 'Accounts that this process has halted, because the last entry did not match the balance.',
      registers: [registry],
    }),
  };
}
