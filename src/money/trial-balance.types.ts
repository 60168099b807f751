import { Field, ID, ObjectType } from 'type-graphql';
import { enumFromValues } from '../graphql/enums.js';
import { DecimalScalar, InstantScalar } from '../graphql/scalars.js';
import { ACCOUNT_KINDS, type AccountKind } from './trial-balance.service.js';

const AccountKindEnum = enumFromValues('AccountKind', ACCOUNT_KINDS, 'Whose accounts they are.', {
  USERS: 'Accounts of users.',
  ISSUE: "The tenant's: adjustments by staff.",
  FEE: "The tenant's: fees of transfers.",
  REVENUE: "The tenant's: payments of orders, and their refunds.",
  RECHARGE: "The tenant's: money that users paid in.",
  REWARD: "The tenant's: rewards of redemptions.",
});

@ObjectType('TrialBalanceRow', {
  description: 'What the accounts of one kind hold in a currency; on one of the two sides.',
})
export class TrialBalanceRowType {
  @Field(() => AccountKindEnum)
  kind!: AccountKind;

  @Field(() => DecimalScalar, { description: 'What the accounts are below zero.' })
  debit!: string;

  @Field(() => DecimalScalar, { description: 'What the accounts are above zero, as balances of users are.' })
  credit!: string;
}

@ObjectType('CurrencyBalance', { description: 'The ledger of one currency.' })
export class CurrencyBalanceType {
  @Field(() => String, { description: 'The code of the currency.' })
  currency!: string;

  @Field(() => DecimalScalar)
  debit!: string;

  @Field(() => DecimalScalar)
  credit!: string;

  @Field(() => [TrialBalanceRowType])
  rows!: TrialBalanceRowType[];

  @Field(() => [ID], {
    description:
      'Facilities at which the currency does not sum to zero, 100 at most. Empty in a sound ledger; reconciliation says what is wrong.',
  })
  unbalancedFacilityIds!: string[];
}

@ObjectType('TrialBalance', {
  description:
    'Debits and credits of the ledger by currency and kind of account. In a sound ledger both are equal.',
})
export class TrialBalanceType {
  @Field(() => InstantScalar, { description: 'When it was read: at most some seconds ago.' })
  asOf!: Date;

  @Field(() => Boolean, { description: 'Whether all currencies sum to zero at each facility.' })
  isBalanced!: boolean;

  @Field(() => [CurrencyBalanceType])
  currencies!: CurrencyBalanceType[];
}
