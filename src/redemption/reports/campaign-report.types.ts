import { GraphQLSafeInt } from 'graphql-scalars';
import { ArgsType, Field, ID, Int, ObjectType } from 'type-graphql';
import { BATCH_STATUS_DESCRIPTION, BATCH_STATUSES, type BatchStatus } from '../../codes/code-batch.entity.js';
import { COUNTED_STATUS, type StatusCount } from '../../codes/code-counts.service.js';
import { enumFromValues } from '../../graphql/enums.js';
import { nullable } from '../../graphql/nullable.js';
import { DecimalScalar, InstantScalar } from '../../graphql/scalars.js';
import type { RedeemRefusal } from '../redemption.errors.js';
import { RedeemCodeErrorCodeEnum } from '../redemption.types.js';
import { RedemptionSeriesType } from './redemption-series.types.js';

const { name, values, description } = COUNTED_STATUS;
const EffectiveStatusEnum = enumFromValues(name, values, description);
const BatchStatusEnum = enumFromValues('BatchStatus', BATCH_STATUSES, BATCH_STATUS_DESCRIPTION);

@ArgsType()
export class CampaignReportArgs {
  @Field(() => ID)
  campaignId!: string;

  @Field(() => Int, nullable('How many days the chart shows, 1 to 366; missing means 30.'))
  days?: number | null;
}

@ObjectType('CodeStatusCount', { description: 'Codes of a campaign that are alike.' })
class CodeStatusCountType {
  @Field(() => EffectiveStatusEnum)
  status!: StatusCount['status'];

  @Field(() => GraphQLSafeInt)
  count!: number;
}

@ObjectType('BatchStatusCount', { description: 'Batches of a campaign that are alike.' })
class BatchStatusCountType {
  @Field(() => BatchStatusEnum)
  status!: BatchStatus;

  @Field(() => Int)
  count!: number;
}

@ObjectType('BatchCounts', { description: 'How many batches a campaign has.' })
class BatchCountsType {
  @Field(() => [BatchStatusCountType])
  byStatus!: BatchStatusCountType[];

  @Field(() => Int, { description: 'Frozen and not void.' })
  frozen!: number;

  @Field(() => Int)
  voided!: number;

  @Field(() => Int, { description: 'Made with `activateAtSale`, and not activated yet.' })
  awaitingActivation!: number;
}

@ObjectType('RefusalCount', { description: 'Refused attempts with one reason.' })
class RefusalCountType {
  @Field(() => RedeemCodeErrorCodeEnum)
  refusal!: RedeemRefusal;

  @Field(() => GraphQLSafeInt)
  total!: number;
}

@ObjectType('CampaignRedemptions', { description: 'Redemptions of a campaign, all of them.' })
class CampaignRedemptionsType {
  @Field(() => GraphQLSafeInt, { description: 'Redemptions that stand.' })
  committed!: number;

  @Field(() => GraphQLSafeInt, { description: 'Redemptions that were reversed.' })
  reversed!: number;
}

@ObjectType('CampaignReport', { description: 'What a campaign has come to, by counters.' })
export class CampaignReportType {
  @Field(() => InstantScalar)
  asOf!: Date;

  @Field(() => ID)
  campaignId!: string;

  @Field(() => CampaignRedemptionsType)
  redemptions!: CampaignRedemptionsType;

  @Field(() => Int, { description: 'Redemptions that there may be; 0 means unlimited.' })
  budgetUses!: number;

  @Field(() => GraphQLSafeInt, {
    description: 'Redemptions that count against the budget; 0 in a campaign without a budget.',
  })
  usedUses!: number;

  @Field(() => DecimalScalar, { description: 'Sum of the values of rewards; 0 means unlimited.' })
  budgetValue!: string;

  @Field(() => DecimalScalar, {
    description: 'The sum that counts against it; 0 in a campaign without a budget.',
  })
  usedValue!: string;

  @Field(() => [CodeStatusCountType], {
    description:
      'Codes by what their batches and they themselves come to at this instant, as if the campaign ran; the most frequent first.',
  })
  codes!: CodeStatusCountType[];

  @Field(() => BatchCountsType)
  batches!: BatchCountsType;

  @Field(() => [RefusalCountType], {
    description: 'Refusals of its codes at any time, the most frequent first.',
  })
  refusals!: RefusalCountType[];

  @Field(() => GraphQLSafeInt, {
    description:
      'Conditions that could not be evaluated at a redemption, for example because of a division by zero; they counted as false. `previewCampaignRule` shows which and why.',
  })
  conditionFaults!: number;

  @Field(() => RedemptionSeriesType, { description: 'The last days, today included, in UTC.' })
  days!: RedemptionSeriesType;
}
