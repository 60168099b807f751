import { GraphQLSafeInt } from 'graphql-scalars';
import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { enumFromValues } from '../../graphql/enums.js';
import { nullable } from '../../graphql/nullable.js';
import { listPageOf } from '../../graphql/page.js';
import { payloadType } from '../../graphql/payload-type.js';
import { InstantScalar } from '../../graphql/scalars.js';
import { LEDGER_CAUSES, type LedgerCause } from '../give-back.js';
import { POINTS_ACTIONS, type PointsAction } from './points.entity.js';
import { GRANT_POINTS_REFUSALS } from './points.errors.js';

const PointsActionEnum = enumFromValues('PointsAction', POINTS_ACTIONS, 'What happened to points.');
const LedgerCauseEnum = enumFromValues('LedgerCause', LEDGER_CAUSES, 'What moved points or a coupon.');

@ObjectType('PointsLot', { description: 'Points that were granted together and expire together.' })
class PointsLotType {
  @Field(() => ID)
  id!: string;

  @Field(() => GraphQLSafeInt)
  granted!: number;

  @Field(() => GraphQLSafeInt)
  remaining!: number;

  @Field(
    () => InstantScalar,
    nullable('They can be spent before this instant; null means that they never expire.'),
  )
  expiresAt?: Date | null | undefined;

  @Field(() => InstantScalar)
  createdAt!: Date;
}

@ObjectType('PointsLedgerEntry')
class PointsLedgerEntryType {
  @Field(() => ID)
  id!: string;

  @Field(() => PointsActionEnum)
  action!: PointsAction;

  @Field(() => LedgerCauseEnum)
  cause!: LedgerCause;

  @Field(() => GraphQLSafeInt, { description: 'Negative if the balance decreased.' })
  points!: number;

  @Field(() => ID, nullable('The order that spent them or gave them back.'))
  orderId?: string | null | undefined;

  @Field(() => InstantScalar)
  createdAt!: Date;
}

export const PointsLedgerPageType = listPageOf(PointsLedgerEntryType, 'PointsLedgerPage');

@ObjectType('Points', { description: 'The points of a user.' })
export class PointsType {
  @Field(() => ID)
  userId!: string;

  @Field(() => GraphQLSafeInt, { description: 'Points that can be spent now.' })
  balance!: number;

  @Field(() => [PointsLotType], {
    description:
      'The lots of the balance in the order in which they are spent, earliest expiry first. At most 100.',
  })
  lots!: readonly PointsLotType[];
}

@InputType()
export class GrantPointsInput {
  @Field(() => ID)
  userId!: string;

  @Field(() => Int, { description: '1 to 1,000,000,000.' })
  amount!: number;

  @Field(() => Int, nullable('Days until they expire. Without this and `expiresAt` they never expire.'))
  validDays?: number | null;

  @Field(() => InstantScalar, nullable('When they expire, instead of `validDays`.'))
  expiresAt?: Date | null;

  @Field(
    () => String,
    nullable('A repeated key returns the same result. If missing, the header idempotency-key is used.'),
  )
  idempotencyKey?: string | null;
}

export const GrantPointsPayloadType = payloadType('GrantPoints', GRANT_POINTS_REFUSALS, {
  lot: { type: () => PointsLotType },
  replayed: { type: () => Boolean, description: 'Whether an earlier call with the same key granted them.' },
});
