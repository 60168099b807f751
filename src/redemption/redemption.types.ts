import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { enumFromValues } from '../graphql/enums.js';
import { nullable } from '../graphql/nullable.js';
import { pageOf } from '../graphql/page.js';
import { DecimalScalar, InstantScalar } from '../graphql/scalars.js';
import { UserErrorType } from '../graphql/user-error.js';
import { REWARD_TYPES, type RewardType } from '../rewards/reward-rule.js';
import { TIME_UNIT_DESCRIPTION, TIME_UNITS, type TimeUnit } from '../rewards/time-unit.js';
import { REDEEM_REFUSAL_CODES, REDEEM_REFUSALS, type RedeemRefusal } from './redemption.errors.js';
import { GRANT_STATUSES, type GrantStatus } from './history/reward-grant.entity.js';

const RedemptionStatusEnum = enumFromValues(
  'RedemptionStatus',
  ['COMMITTED', 'PROCESSING', 'REFUSED'],
  'What became of an attempt to redeem a code.',
  {
    COMMITTED: 'The code was redeemed and the rewards are given; this is on disk.',
    PROCESSING: 'It will be settled soon; the order number tells the outcome.',
    REFUSED: 'Nothing was spent; `errors` says why.',
  },
);

const RedemptionStateEnum = enumFromValues(
  'RedemptionState',
  ['COMMITTED', 'REVERSED'],
  'Whether a redemption still counts.',
);

const RewardTypeEnum = enumFromValues('RewardType', REWARD_TYPES, 'What a reward gives.');
const TimeUnitEnum = enumFromValues('TimeUnit', TIME_UNITS, TIME_UNIT_DESCRIPTION);
const GrantStatusEnum = enumFromValues('GrantStatus', GRANT_STATUSES, 'Whether a reward was taken back.');

const RedeemCodeErrorCodeEnum = enumFromValues(
  'RedeemCodeErrorCode',
  REDEEM_REFUSAL_CODES,
  'Why a code was not redeemed, in order of precedence.',
  REDEEM_REFUSALS,
);

@ObjectType('RewardGrant', { simpleResolvers: true, description: 'One reward that a redemption gave, once.' })
export class RewardGrantType {
  @Field(() => RewardTypeEnum)
  type!: RewardType;

  @Field(() => GrantStatusEnum)
  status!: GrantStatus;

  @Field(() => ID, { description: 'What the rule named: for SUBSCRIPTION the plan.' })
  sourceId!: string;

  @Field(() => ID, { description: 'What was made or extended: for SUBSCRIPTION the subscription.' })
  targetId!: string;

  @Field(() => DecimalScalar, { description: "What it counts for in the campaign's budget." })
  value!: string;
}

@ObjectType('Redemption', {
  simpleResolvers: true,
  description: 'The record that one use of a code was spent.',
})
export class RedemptionType {
  @Field(() => ID)
  id!: string;

  @Field(() => RedemptionStateEnum)
  status!: string;

  @Field(() => ID)
  codeId!: string;

  @Field(() => ID)
  campaignId!: string;

  @Field(() => ID)
  userId!: string;

  @Field(() => Int, nullable('Which use of the code it was, from 1; never given twice.'))
  useNo!: number | null;

  @Field(() => String)
  productCode!: string;

  @Field(() => InstantScalar, { description: 'The instant that windows and expiry were judged by.' })
  claimedAt!: Date;

  @Field(() => InstantScalar)
  settledAt!: Date;

  @Field(() => [RewardGrantType])
  rewards!: RewardGrantType[];
}

@InputType({ description: 'Who redeems and where comes from the token and the headers.' })
export class RedeemCodeInput {
  @Field(() => String, { description: 'As it was typed; case, spaces and hyphens do not matter.' })
  code!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'Makes a retry safe: the same key answers the same. Also accepted as the header idempotency-key.',
  })
  idempotencyKey?: string | null;
}

@ObjectType('RedeemCodeError', { simpleResolvers: true, implements: UserErrorType })
export class RedeemCodeErrorType extends UserErrorType {
  @Field(() => RedeemCodeErrorCodeEnum)
  code!: RedeemRefusal;

  @Field(() => Int, nullable('When the same call can succeed, in milliseconds from now.'))
  retryAfterMs!: number | null;
}

@ObjectType({ simpleResolvers: true })
export class RedeemCodePayload {
  @Field(() => RedemptionStatusEnum)
  status!: string;

  @Field(() => RedemptionType, {
    nullable: true,
    description: 'The redemption; after ALREADY_REDEEMED the one by which you redeemed the code.',
  })
  redemption!: RedemptionType | null;

  @Field(() => String, { nullable: true })
  orderNo!: string | null;

  @Field(() => [RedeemCodeErrorType])
  errors!: RedeemCodeErrorType[];
}

@ObjectType({ simpleResolvers: true, description: 'One reward that redeeming the code would give.' })
export class PreviewedReward {
  @Field(() => RewardTypeEnum)
  type!: RewardType;

  @Field(() => ID, { description: 'What would be given: for SUBSCRIPTION the plan.' })
  targetId!: string;

  @Field(() => TimeUnitEnum, nullable('For SUBSCRIPTION: how long one quantity lasts; else null.'))
  unit!: TimeUnit | null;

  @Field(() => Int)
  quantity!: number;

  @Field(() => InstantScalar, {
    nullable: true,
    description:
      'For SUBSCRIPTION: when the subscription would end if the code were redeemed now, after this reward; null if never.',
  })
  expiresAt!: Date | null;
}

@ObjectType({
  simpleResolvers: true,
  description: 'What redeeming a code would come to at this moment. Nothing was changed or reserved.',
})
export class PreviewRedemptionPayload {
  @Field(() => Boolean)
  wouldRedeem!: boolean;

  @Field(() => String, { nullable: true })
  campaignName!: string | null;

  @Field(() => InstantScalar, nullable('The first instant at which the code no longer counts.'))
  expiresAt!: Date | null;

  @Field(() => [PreviewedReward])
  rewards!: PreviewedReward[];

  @Field(() => [RedeemCodeErrorType])
  errors!: RedeemCodeErrorType[];
}

export const RedemptionPageType = pageOf(RedemptionType, 'RedemptionPage');

@InputType()
export class RedemptionFilter {
  @Field(() => ID, { nullable: true })
  userId?: string | null;

  @Field(() => String, nullable("The user's id in the tenant's own system."))
  externalUserId?: string | null;

  @Field(() => ID, { nullable: true })
  codeId?: string | null;

  @Field(() => ID, { nullable: true })
  campaignId?: string | null;
}

@ObjectType({
  description:
    'A redemption was settled: committed, or refused after its caller was told PROCESSING. Pushed after the commit; drop duplicates by eventId.',
})
export class RedemptionSettledEvent {
  @Field(() => ID)
  eventId!: string;

  @Field(() => String, {
    description: 'Where to go on after being away: give the last one as `after`. Grows from event to event.',
  })
  cursor!: string;

  @Field(() => RedemptionStatusEnum)
  status!: string;

  @Field(() => ID)
  redemptionId!: string;

  @Field(() => ID)
  userId!: string;

  @Field(() => String)
  orderNo!: string;

  @Field(() => ID)
  campaignId!: string;

  @Field(() => Int, nullable('Which use of the code it was; null where it was refused.'))
  useNo!: number | null;

  @Field(() => RedeemCodeErrorCodeEnum, {
    nullable: true,
    description: 'Why it was refused; null where it was not, or where it could not be committed in time.',
  })
  refusal!: RedeemRefusal | null;

  @Field(() => ID, nullable('The redemption that has the idempotency key, where that was the reason.'))
  winnerId!: string | null;
}
