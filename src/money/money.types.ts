import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { enumFromValues } from '../graphql/enums.js';
import { nullable } from '../graphql/nullable.js';
import { listPageOf } from '../graphql/page.js';
import { payloadType } from '../graphql/payload-type.js';
import { DecimalScalar, InstantScalar } from '../graphql/scalars.js';
import { ENTRY_TYPES, type EntryType } from './entry.entity.js';
import {
  ADJUST_BALANCE_ERROR_CODES,
  RELEASE_ACCOUNT_ERROR_CODES,
  TRANSFER_REFUSALS,
} from './money.errors.js';

const EntryTypeEnum = enumFromValues('EntryType', ENTRY_TYPES, 'What a balance was changed for.');

@ObjectType('Account', { description: "A user's account in one currency at one facility." })
export class AccountType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  userId!: string;

  @Field(() => ID)
  facilityId!: string;

  @Field(() => String, { description: 'The code of the currency.' })
  currency!: string;

  @Field(() => DecimalScalar)
  balance!: string;

  @Field(
    () => InstantScalar,
    nullable(
      'When the account was halted because its last entry did not match its balance; null if it is active.',
    ),
  )
  haltedAt?: Date | null | undefined;

  @Field(() => InstantScalar)
  createdAt!: Date;
}

@ObjectType('Entry', { description: 'One movement of an account. It never changes.' })
export class EntryObjectType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  accountId!: string;

  @Field(() => Int, { description: 'From 1, without gaps, within the account.' })
  entryNo!: number;

  @Field(() => ID)
  userId!: string;

  @Field(() => ID)
  facilityId!: string;

  @Field(() => String, { description: 'The code of the currency.' })
  currency!: string;

  @Field(() => EntryTypeEnum)
  type!: EntryType;

  @Field(() => String, { description: 'What caused the movement; for a transfer, its id.' })
  orderId!: string;

  @Field(() => DecimalScalar)
  before!: string;

  @Field(() => DecimalScalar, { description: 'Signed: `before + amount = after`.' })
  amount!: string;

  @Field(() => DecimalScalar)
  after!: string;

  @Field(() => String, { nullable: true })
  remark?: string | null | undefined;

  @Field(() => InstantScalar)
  createdAt!: Date;
}

@ObjectType('Transfer', { description: 'A transfer of money between two users.' })
export class TransferType {
  @Field(() => ID)
  id!: string;

  @Field(() => String, { description: "The sender's own key." })
  orderId!: string;

  @Field(() => ID)
  fromUserId!: string;

  @Field(() => ID)
  toUserId!: string;

  @Field(() => ID)
  facilityId!: string;

  @Field(() => String, { description: 'The code of the currency.' })
  currency!: string;

  @Field(() => DecimalScalar, { description: 'What the sender paid: `fee + net`.' })
  amount!: string;

  @Field(() => DecimalScalar, {
    description: "Fee rate × amount, rounded half to even at the currency's scale.",
  })
  fee!: string;

  @Field(() => DecimalScalar, { description: 'What the recipient got.' })
  net!: string;

  @Field(() => String, { description: 'The day whose limits it counts towards, e.g. "2026-11-29".' })
  day!: string;

  @Field(() => InstantScalar)
  createdAt!: Date;
}

export const AccountPageType = listPageOf(AccountType, 'AccountPage');
export const EntryPageType = listPageOf(EntryObjectType, 'EntryPage');
export const TransferPageType = listPageOf(TransferType, 'TransferPage');

@InputType()
class MoneyFilterInput {
  @Field(() => ID, nullable('For staff; users see their own.'))
  userId?: string | null;

  @Field(() => ID, { nullable: true })
  facilityId?: string | null;

  @Field(() => String, nullable('The code of a currency.'))
  currency?: string | null;
}

@InputType()
class MovementFilterInput extends MoneyFilterInput {
  @Field(() => InstantScalar, nullable('Made at this instant or later.'))
  from?: Date | null;

  @Field(() => InstantScalar, nullable('Made before this instant.'))
  before?: Date | null;
}

@InputType()
export class AccountFilterInput extends MoneyFilterInput {
  @Field(() => Boolean, { nullable: true })
  isHalted?: boolean | null;
}

@InputType()
export class EntryFilterInput extends MovementFilterInput {
  @Field(() => ID, nullable('Entries of one account are in the order of their numbers.'))
  accountId?: string | null;

  @Field(() => EntryTypeEnum, { nullable: true })
  type?: EntryType | null;

  @Field(() => String, { nullable: true })
  orderId?: string | null;
}

@InputType({ description: 'Matches transfers from and to the user.' })
export class TransferFilterInput extends MovementFilterInput {
  @Field(() => String, nullable("The sender's own key."))
  orderId?: string | null;
}

const ORDER_ID = '1 to 64 printable characters without spaces.';

@InputType()
export class AdjustBalanceInput {
  @Field(() => ID)
  userId!: string;

  @Field(() => ID)
  facilityId!: string;

  @Field(() => String, { description: 'The code of the currency.' })
  currency!: string;

  @Field(() => DecimalScalar, { description: 'The amount to add; negative to subtract. Not 0.' })
  amount!: string;

  @Field(() => String, {
    description: `Changes each account once: repeated, it answers the first entry. ${ORDER_ID}`,
  })
  orderId!: string;

  @Field(() => String, { description: 'The reason: 1 to 255 characters.' })
  remark!: string;
}

@InputType()
export class ReleaseAccountInput {
  @Field(() => ID)
  accountId!: string;
}

@InputType()
export class TransferInput {
  @Field(() => ID)
  toUserId!: string;

  @Field(() => ID)
  facilityId!: string;

  @Field(() => String, { description: 'The code of the currency.' })
  currency!: string;

  @Field(() => DecimalScalar, { description: 'What the sender pays, the fee included. More than 0.' })
  amount!: string;

  @Field(() => String, {
    description: `Moves money once: repeated with the same arguments, it answers the first transfer. ${ORDER_ID}`,
  })
  orderId!: string;
}

export const AdjustBalancePayloadType = payloadType('AdjustBalance', ADJUST_BALANCE_ERROR_CODES, {
  entry: { type: () => EntryObjectType },
});

export const ReleaseAccountPayloadType = payloadType('ReleaseAccount', RELEASE_ACCOUNT_ERROR_CODES, {
  account: { type: () => AccountType },
});

export const TransferPayloadType = payloadType('Transfer', TRANSFER_REFUSALS, {
  transfer: { type: () => TransferType },
});
