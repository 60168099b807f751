import type { EntryType } from './money.gql';

export const ENTRY_TYPES = [
  'PAYMENT',
  'REFUND',
  'RECHARGE',
  'REWARD',
  'REWARD_REVERSAL',
  'TRANSFER_IN',
  'TRANSFER_OUT',
  'FEE',
  'ADJUSTMENT',
] as const satisfies readonly EntryType[];
