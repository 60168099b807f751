import { GraphQLSafeInt } from 'graphql-scalars';
import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { enumFromValues } from '../graphql/enums.js';
import { ExpectedVersionField, VERSION_FIELD } from '../graphql/expected-version.js';
import { nullable } from '../graphql/nullable.js';
import { listPageOf } from '../graphql/page.js';
import { DecimalScalar, InstantScalar } from '../graphql/scalars.js';
import { payloadType } from '../graphql/payload-type.js';
import { TIME_UNIT_DESCRIPTION, TIME_UNITS, type TimeUnit } from '../rewards/time-unit.js';
import { RESET_CYCLES, type ResetCycle } from './plan.entity.js';
import { CREATE_PLAN_ERROR_CODES, UPDATE_PLAN_ERROR_CODES } from './plan.errors.js';

const TimeUnitEnum = enumFromValues('TimeUnit', TIME_UNITS, TIME_UNIT_DESCRIPTION);
const ANCHOR_DAY =
  'Whether extensions by months keep the day on which the subscription began: 31 January + 1 MONTH + 1 MONTH is 31 March, else 28 March.';
const PRICE_CURRENCY =
  'The code of the currency of its prices. Where it is missing and the tenant has several currencies, the plan cannot be ordered.';
const ResetCycleEnum = enumFromValues('ResetCycle', RESET_CYCLES, 'How often the used traffic is reset.');

@ObjectType('Plan', { description: 'What a user can subscribe to.' })
export class PlanType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  name!: string;

  @Field(() => DecimalScalar)
  unitPrice!: string;

  @Field(
    () => DecimalScalar,
    nullable('What new traffic costs within a running period; null where it is not sold.'),
  )
  resetPrice?: string | null | undefined;

  @Field(
    () => String,
    nullable("The currency of its prices; null means the tenant's only currency that is enabled."),
  )
  currency?: string | null | undefined;

  @Field(() => TimeUnitEnum, { description: 'The duration of one quantity of the plan.' })
  unitTime!: TimeUnit;

  @Field(() => GraphQLSafeInt, { description: 'Bytes; 0 means unlimited.' })
  trafficBytes!: number;

  @Field(() => Int, { description: '0 means unlimited.' })
  deviceLimit!: number;

  @Field(() => Int, { description: 'Live subscriptions of this plan a user may hold; 0 means unlimited.' })
  quotaPerUser!: number;

  @Field(() => Int, { description: 'New subscriptions left; -1 means unlimited, 0 sold out.' })
  inventory!: number;

  @Field(() => Boolean, { description: 'Whether it can be bought. A code gives it either way.' })
  sell!: boolean;

  @Field(() => Boolean, { description: 'Whether users see it in the list of plans.' })
  show!: boolean;

  @Field(() => Boolean, { description: ANCHOR_DAY })
  keepsAnchorDay!: boolean;

  @Field(() => ResetCycleEnum)
  resetCycle!: ResetCycle;

  @Field(() => [ID], { description: 'Nodes of the plan, beside those of its tags; both empty means all.' })
  nodeIds!: string[];

  @Field(() => [String])
  nodeTags!: string[];

  @Field(() => Int, VERSION_FIELD)
  version!: number;

  @Field(() => InstantScalar)
  createdAt!: Date;
}

export const PlanPageType = listPageOf(PlanType, 'PlanPage');

@InputType()
export class CreatePlanInput {
  @Field(() => String, { description: '1 to 64 characters.' })
  name!: string;

  @Field(() => DecimalScalar, { description: 'Not negative.' })
  unitPrice!: string;

  @Field(
    () => DecimalScalar,
    nullable('What new traffic costs within a running period. Missing means that it is not sold.'),
  )
  resetPrice?: string | null;

  @Field(() => String, nullable(PRICE_CURRENCY))
  currency?: string | null;

  @Field(() => TimeUnitEnum)
  unitTime!: TimeUnit;

  @Field(() => GraphQLSafeInt, nullable('Bytes; missing or 0 means unlimited.'))
  trafficBytes?: number | null;

  @Field(() => Int, nullable('Missing or 0 means unlimited.'))
  deviceLimit?: number | null;

  @Field(() => Int, nullable('Live subscriptions a user may hold; missing or 0 means unlimited.'))
  quotaPerUser?: number | null;

  @Field(() => Int, nullable('New subscriptions there can be; missing or -1 means unlimited.'))
  inventory?: number | null;

  @Field(() => [ID], nullable('Nodes of the plan, beside those of its tags; both empty means all.'))
  nodeIds?: string[] | null;

  @Field(() => [String], { nullable: true })
  nodeTags?: string[] | null;

  @Field(() => Boolean, nullable('Whether it can be bought; a code gives it either way. Missing means true.'))
  sell?: boolean | null;

  @Field(() => Boolean, nullable('Missing means true.'))
  show?: boolean | null;

  @Field(() => Boolean, nullable(`${ANCHOR_DAY} Missing means false.`))
  keepsAnchorDay?: boolean | null;

  @Field(() => ResetCycleEnum, nullable('Missing means NONE.'))
  resetCycle?: ResetCycle | null;
}

@InputType({
  description:
    'Missing or null fields stay, except that null takes the currency away. The unit of time never changes: create a new plan instead.',
})
export class UpdatePlanInput {
  @Field(() => ID)
  planId!: string;

  @Field(() => String, nullable('1 to 64 characters.'))
  name?: string | null;

  @Field(() => DecimalScalar, nullable('Not negative.'))
  unitPrice?: string | null;

  @Field(() => DecimalScalar, nullable('What new traffic costs within a running period; not negative.'))
  resetPrice?: string | null;

  @Field(() => String, nullable("The code of the currency of its prices. Null means the tenant's only one."))
  currency?: string | null;

  @Field(() => GraphQLSafeInt, nullable('Bytes; 0 means unlimited.'))
  trafficBytes?: number | null;

  @Field(() => Int, nullable('0 means unlimited.'))
  deviceLimit?: number | null;

  @Field(() => Int, nullable('Live subscriptions a user may hold; 0 means unlimited.'))
  quotaPerUser?: number | null;

  @Field(() => Int, nullable('New subscriptions left from now on; -1 means unlimited, 0 sold out.'))
  inventory?: number | null;

  @Field(() => [ID], nullable('Replaces the present ones.'))
  nodeIds?: string[] | null;

  @Field(() => [String], nullable('Replaces the present ones.'))
  nodeTags?: string[] | null;

  @Field(() => Boolean, { nullable: true })
  sell?: boolean | null;

  @Field(() => Boolean, { nullable: true })
  show?: boolean | null;

  @Field(() => Boolean, { nullable: true })
  keepsAnchorDay?: boolean | null;

  @Field(() => ResetCycleEnum, { nullable: true })
  resetCycle?: ResetCycle | null;

  @ExpectedVersionField()
  expectedVersion?: number | null;
}

export const CreatePlanPayloadType = payloadType('CreatePlan', CREATE_PLAN_ERROR_CODES, {
  plan: { type: () => PlanType },
});

export const UpdatePlanPayloadType = payloadType('UpdatePlan', UPDATE_PLAN_ERROR_CODES, {
  plan: { type: () => PlanType },
});
