import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { enumFromValues } from '../graphql/enums.js';
import { nullable } from '../graphql/nullable.js';
import { listPageOf } from '../graphql/page.js';
import { PushedEvent } from '../graphql/pushed-event.js';
import { DecimalScalar, InstantScalar } from '../graphql/scalars.js';
import { UserErrorType } from '../graphql/user-error.js';
import { REWARD_TYPES, type RewardType } from '../rewards/reward-rule.js';
import { TIME_UNIT_DESCRIPTION, TIME_UNITS, type TimeUnit } from '../rewards/time-unit.js';
import { REDEEM_REFUSAL_CODES, REDEEM_REFUSALS, type RedeemRefusal } from './redemption.errors.js';
import { GRANT_STATUSES, type GrantStatus } from './history/reward-grant.entity.js';

const RedemptionStatusEnum = enumFromValues(
  'RedemptionStatus',
  ['COMMITTED', 'PROCESSING', 'REFUSED'],
  'The outcome of an attempt to redeem a code.',
  {
    COMMITTED: 'The code was redeemed and the rewards are given; this is on disk.',
    PROCESSING: 'It will be settled soon; ask for the order to learn the outcome.',
    REFUSED: 'Nothing was spent; `errors` says why.',
  },
);

const RedemptionStateEnum = enumFromValues(
  'RedemptionState',
  ['COMMITTED', 'REVERSED'],
  'Whether a redemption still counts.',
);

const RewardTypeEnum = enumFromValues('RewardType', REWARD_TYPES, 'The kind of a reward.');
const TimeUnitEnum = enumFromValues('TimeUnit', TIME_UNITS, TIME_UNIT_DESCRIPTION);
const GrantStatusEnum = enumFromValues('GrantStatus', GRANT_STATUSES, 'Whether a reward was revoked.');

export const RedeemCodeErrorCodeEnum = enumFromValues(
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

  @Field(() => ID, {
    description:
      'The target in the rule: for SUBSCRIPTION the plan, for COUPON its template, for BALANCE the facility.',
  })
  sourceId!: string;

  @Field(() => ID, {
    description:
      'What was created or extended: for SUBSCRIPTION the subscription, for COUPON the coupon, for POINTS and BALANCE the entry.',
  })
  targetId!: string;

  @Field(() => DecimalScalar, { description: "Its value in the campaign's budget." })
  value!: string;
}

@ObjectType('RewardDebt', { description: 'A reward that could not be taken back, or not all of it.' })
export class RewardDebtType {
  @Field(() => Int, { description: "The reward's place in the campaign's rule, from 0." })
  rewardNo!: number;

  @Field(() => RewardTypeEnum)
  type!: RewardType;

  @Field(() => String, { description: 'What is missing, such as "3 DAY", "120 points" or "12.50 USD".' })
  debt!: string;
}

@ObjectType('Redemption', {
  simpleResolvers: true,
  description: 'One spent use of a code.',
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

  @Field(() => InstantScalar, { description: 'The instant by which windows and expiry were judged.' })
  claimedAt!: Date;

  @Field(() => InstantScalar)
  settledAt!: Date;

  @Field(() => InstantScalar, nullable('When it was reversed.'))
  reversedAt?: Date | null | undefined;

  @Field(() => [RewardGrantType])
  rewards!: RewardGrantType[];
}

@InputType({ description: 'The user comes from the token, the product line from the header x-product-code.' })
export class RedeemCodeInput {
  @Field(() => String, { description: 'As typed by the user; case, spaces and hyphens do not matter.' })
  code!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'Makes a retry safe: a repeated key gets the same answer. Also accepted as the header idempotency-key.',
  })
  idempotencyKey?: string | null;
}

@ObjectType('RedeemCodeError', { simpleResolvers: true, implements: UserErrorType })
export class RedeemCodeErrorType extends UserErrorType {
  @Field(() => RedeemCodeErrorCodeEnum)
  code!: RedeemRefusal;

  @Field(() => Int, nullable('Milliseconds until the same call can succeed.'))
  retryAfterMs!: number | null;
}

@ObjectType({ simpleResolvers: true })
export class RedeemCodePayload {
  @Field(() => RedemptionStatusEnum)
  status!: string;

  @Field(() => RedemptionType, {
    nullable: true,
    description: 'The redemption; after ALREADY_REDEEMED the earlier one of the user.',
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

  @Field(() => ID, { description: 'The id of the reward: for SUBSCRIPTION the plan.' })
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
  description: 'The result of redeeming a code now. Nothing was changed or reserved.',
})
export class PreviewRedemptionPayload {
  @Field(() => Boolean)
  wouldRedeem!: boolean;

  @Field(() => String, { nullable: true })
  campaignName!: string | null;

  @Field(() => InstantScalar, nullable('The first instant at which the code is no longer valid.'))
  expiresAt!: Date | null;

  @Field(() => [PreviewedReward])
  rewards!: PreviewedReward[];

  @Field(() => [RedeemCodeErrorType])
  errors!: RedeemCodeErrorType[];
}

export const RedemptionPageType = listPageOf(RedemptionType, 'RedemptionPage');

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

  @Field(() => ID, { nullable: true })
  batchId?: string | null;

  @Field(() => ID, nullable('That gave this plan.'))
  planId?: string | null;

  @Field(() => TimeUnitEnum, nullable('That gave this unit of time.'))
  unit?: TimeUnit | null;

  @Field(() => RedemptionStateEnum, { nullable: true })
  status?: 'COMMITTED' | 'REVERSED' | null;

  @Field(() => String, nullable('Redeemed at this product line.'))
  productCode?: string | null;

  @Field(() => String, nullable('The number of its order.'))
  orderNo?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The text of the code that a customer typed, as in `codes`. Of no effect for users.',
  })
  part?: string | null;

  @Field(() => InstantScalar, nullable('Claimed at this instant or later.'))
  from?: Date | null;

  @Field(() => InstantScalar, nullable('Claimed before this instant.'))
  before?: Date | null;
}

@ObjectType({
  description:
    'A redemption was settled: committed, or refused after the answer PROCESSING. Pushed after the commit; drop duplicates by eventId.',
})
export class RedemptionSettledEvent extends PushedEvent {
  @Field(() => String, {
    description: 'To resume after a disconnection, give the last one as `after`. Grows from event to event.',
  })
  override cursor!: string;

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

  @Field(() => Int, nullable('Which use of the code it was; null if it was refused.'))
  useNo!: number | null;

  @Field(() => RedeemCodeErrorCodeEnum, {
    nullable: true,
    description: 'The reason of the refusal; null if it was committed, or could not be committed in time.',
  })
  refusal!: RedeemRefusal | null;

  @Field(() => ID, nullable('The redemption that has the idempotency key, if that is the reason.'))
  winnerId!: string | null;
}
