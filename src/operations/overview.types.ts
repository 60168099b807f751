import { GraphQLSafeInt } from 'graphql-scalars';
import { Field, Float, ID, Int, ObjectType } from 'type-graphql';
import { BATCH_STATUS_DESCRIPTION, BATCH_STATUSES, type BatchStatus } from '../codes/code-batch.entity.js';
import { enumFromValues } from '../graphql/enums.js';
import { nullable } from '../graphql/nullable.js';
import { DecimalScalar, InstantScalar } from '../graphql/scalars.js';
import { BREAKER_STATES, type BreakerState } from '../tenancy/directory/directory.service.js';
import { STORES, type StoreHealth } from './store-health.js';

const StoreEnum = enumFromValues('Store', STORES, 'A store of the installation.');
const BatchStatusEnum = enumFromValues('BatchStatus', BATCH_STATUSES, BATCH_STATUS_DESCRIPTION);
const BreakerStateEnum = enumFromValues(
  'BreakerState',
  BREAKER_STATES,
  'Whether the process that was asked asks the tenant directory: OPEN after failures in a row, then HALF_OPEN for one attempt.',
);
const ReportVerdictEnum = enumFromValues(
  'ReportVerdict',
  ['CLEAN', 'DRIFT'],
  'Whether a reconciliation found that both stores agree; drifts that it corrected do not count.',
);

@ObjectType('RedemptionCounts', { description: 'Redemptions of a tenant, all of them.' })
class RedemptionCountsType {
  @Field(() => GraphQLSafeInt, { description: 'Redemptions that stand.' })
  committed!: number;

  @Field(() => GraphQLSafeInt, { description: 'Redemptions that were reversed.' })
  reversed!: number;
}

@ObjectType('CampaignBudgetUse', { description: 'How far the budget of a campaign is used.' })
class CampaignBudgetUseType {
  @Field(() => ID)
  campaignId!: string;

  @Field(() => String)
  name!: string;

  @Field(() => Int, { description: 'Redemptions that there may be; 0 means unlimited.' })
  budgetUses!: number;

  @Field(() => GraphQLSafeInt)
  usedUses!: number;

  @Field(() => DecimalScalar, { description: 'Sum of the values of rewards; 0 means unlimited.' })
  budgetValue!: string;

  @Field(() => DecimalScalar)
  usedValue!: string;

  @Field(() => Float, { description: 'The used part of the limit that is nearer, 0 to 100.' })
  percentage!: number;
}

@ObjectType('BatchUnderWay', {
  description: 'A batch whose codes are being made; `batchProgress` follows it.',
})
class BatchUnderWayType {
  @Field(() => ID)
  batchId!: string;

  @Field(() => ID)
  campaignId!: string;

  @Field(() => String)
  campaignName!: string;

  @Field(() => BatchStatusEnum, { description: 'PENDING or GENERATING.' })
  status!: BatchStatus;

  @Field(() => GraphQLSafeInt, { description: 'Codes asked for.' })
  requested!: number;

  @Field(() => GraphQLSafeInt, { description: 'Codes stored.' })
  generated!: number;
}

@ObjectType('ConsumerLag', { description: 'How far a consumer is behind the events of the tenant.' })
class ConsumerLagType {
  @Field(() => String)
  consumer!: string;

  @Field(() => GraphQLSafeInt, { description: 'Events behind its cursor.' })
  waiting!: number;

  @Field(() => InstantScalar, nullable('When the first of them was committed; null where none waits.'))
  since!: Date | null;
}

@ObjectType('DirectoryHealth', { description: 'How the tenant directory, another system, can be reached.' })
class DirectoryHealthType {
  @Field(() => BreakerStateEnum)
  breaker!: BreakerState;

  @Field(() => InstantScalar, nullable('When it last answered for the tenant; null where it never has.'))
  checkedAt!: Date | null;

  @Field(() => Boolean, { description: 'Whether what it owns of the tenant may be out of date.' })
  isStale!: boolean;

  @Field(() => Int, { description: 'Events of it that were given up: `tenantEventLetters`.' })
  deadLetters!: number;
}

@ObjectType('ReconciliationSummary', {
  description: 'A report of reconciliation in short; `reconciliationReport` shows it.',
})
class ReconciliationSummaryType {
  @Field(() => ReportVerdictEnum)
  verdict!: 'CLEAN' | 'DRIFT';

  @Field(() => Int, { description: 'Drifts that are left.' })
  drifts!: number;

  @Field(() => Boolean, { description: 'Whether it corrected what Redis held.' })
  repair!: boolean;

  @Field(() => InstantScalar)
  startedAt!: Date;

  @Field(() => InstantScalar)
  finishedAt!: Date;
}

@ObjectType('StoreHealth', { description: 'Whether a store answers the process that was asked.' })
class StoreHealthType {
  @Field(() => StoreEnum)
  store!: StoreHealth['store'];

  @Field(() => Boolean)
  isUp!: boolean;

  @Field(() => Int, nullable('Null where it does not answer within a second.'))
  answeredInMs!: number | null;

  @Field(() => String, nullable('As the server names it; null where it does not say.'))
  version!: string | null;
}

@ObjectType('ProcessHealth', {
  description: 'A process of the installation that was seen within the last hour.',
})
class ProcessHealthType {
  @Field(() => String, { description: 'api, worker, or all.' })
  role!: string;

  @Field(() => String, { description: 'Of the program.' })
  version!: string;

  @Field(() => InstantScalar)
  startedAt!: Date;

  @Field(() => InstantScalar, {
    description: 'When it last said that it runs, as it does four times a minute.',
  })
  seenAt!: Date;

  @Field(() => Boolean, { description: 'Whether it was seen within the last minute.' })
  isAlive!: boolean;
}

@ObjectType('KeptData', { description: 'What workers delete once it is old. All other data stays.' })
class KeptDataType {
  @Field(() => String, { description: 'As staff read it.' })
  what!: string;

  @Field(() => Int, { description: 'For how many days it is kept.' })
  days!: number;
}

@ObjectType('Overview', {
  description:
    'The state of the tenant at one moment. A field is null while the store that it is read from does not answer.',
})
export class OverviewType {
  @Field(() => InstantScalar)
  asOf!: Date;

  @Field(() => RedemptionCountsType, { nullable: true })
  redemptions?: RedemptionCountsType | null;

  @Field(() => GraphQLSafeInt, nullable('Codes that are not deleted.'))
  codes?: number | null;

  @Field(() => Int, nullable('Campaigns that are ACTIVE, whether or not their window is open.'))
  activeCampaigns?: number | null;

  @Field(
    () => [CampaignBudgetUseType],
    nullable('ACTIVE campaigns that have used 80 % of a budget or more, the fullest first; at most 10.'),
  )
  budgets?: CampaignBudgetUseType[] | null;

  @Field(
    () => [BatchUnderWayType],
    nullable('Batches whose codes are being made, the newest first; at most 20.'),
  )
  batchesUnderWay?: BatchUnderWayType[] | null;

  @Field(
    () => Int,
    nullable('Accounts that were halted because their last entry did not match their balance.'),
  )
  haltedAccounts?: number | null;

  @Field(() => Int, nullable('Redemptions that were answered PROCESSING and never settled: `deadLetters`.'))
  deadLetters?: number | null;

  @Field(() => Int, nullable('Claims past their deadline; workers abort them within seconds.'))
  overdueClaims?: number | null;

  @Field(() => [ConsumerLagType], nullable('How far each consumer of events is behind.'))
  consumers?: ConsumerLagType[] | null;

  @Field(
    () => DirectoryHealthType,
    nullable('The tenant directory; null where there is none but this installation.'),
  )
  directory?: DirectoryHealthType | null;

  @Field(() => ReconciliationSummaryType, nullable('The last report; null where there is none yet, too.'))
  reconciliation?: ReconciliationSummaryType | null;

  @Field(() => [StoreHealthType])
  stores!: StoreHealthType[];

  @Field(() => [KeptDataType], { description: 'By the configuration of the process that was asked.' })
  keptData!: readonly KeptDataType[];

  @Field(
    () => [ProcessHealthType],
    nullable('The oldest first. Without one of role worker or all that is alive, nothing is cleaned up.'),
  )
  processes?: ProcessHealthType[] | null;
}
