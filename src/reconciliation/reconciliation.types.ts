import { GraphQLSafeInt } from 'graphql-scalars';
import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { enumFromValues } from '../graphql/enums.js';
import { nullable } from '../graphql/nullable.js';
import { listPageOf } from '../graphql/page.js';
import { payloadType } from '../graphql/payload-type.js';
import { InstantScalar } from '../graphql/scalars.js';
import { RUN_STATUSES, type RunStatus } from './reconciliation-run.entity.js';
import { START_RECONCILIATION_REFUSALS } from './reconciliation-runs.service.js';
import type { CachedReport } from './report-cache.js';
import type { CheckResult, InvariantResult, ReconciliationReport } from './report.js';

const VERDICTS = ['CLEAN', 'DRIFT', 'RUNNING'] as const;
const ReconciliationVerdict = enumFromValues(
  'ReconciliationVerdict',
  VERDICTS,
  'RUNNING until the first report of a tenant is ready: ask again.',
);
const InvariantVerdict = enumFromValues(
  'InvariantVerdict',
  ['HOLDS', 'BROKEN', 'NOT_CHECKED'],
  'The result of all checks of an invariant.',
);
const DriftHolder = enumFromValues(
  'DriftHolder',
  ['DATABASE', 'REDIS'],
  'The store with the wrong data. A repair corrects Redis only.',
);

@ObjectType('InvariantReport', { description: 'One of the invariants of redemptions.' })
class InvariantReportType {
  @Field(() => String)
  invariant!: string;

  @Field(() => String, { description: 'The invariant in words.' })
  states!: string;

  @Field(() => InvariantVerdict)
  verdict!: InvariantResult['verdict'];

  @Field(() => String, nullable('Why it was not checked.'))
  note!: string | null;
}

@ObjectType('CheckReport', { description: 'One kind of drift, and its findings.' })
class CheckReportType {
  @Field(() => String, { description: 'Its name, e.g. COPY_BEHIND.' })
  kind!: string;

  @Field(() => String)
  invariant!: string;

  @Field(() => DriftHolder)
  holder!: CheckResult['holder'];

  @Field(() => String, { description: 'What it means.' })
  means!: string;

  @Field(() => String, { description: 'What to do.' })
  remedy!: string;

  @Field(() => GraphQLSafeInt, { description: 'Drifts that two checks, two seconds apart, both found.' })
  count!: number;

  @Field(() => [ID], { description: 'Ids of some of them.' })
  sampleIds!: string[];
}

@ObjectType('ReconciliationReport', {
  description:
    'A comparison of Redis and the database for a tenant. Half a minute old at most, or `isRunning`.',
})
export class ReconciliationReportType {
  @Field(() => ReconciliationVerdict)
  verdict!: (typeof VERDICTS)[number];

  @Field(() => Boolean, { description: 'Whether a newer report is being made.' })
  isRunning!: boolean;

  @Field(() => InstantScalar, { nullable: true })
  startedAt!: Date | null;

  @Field(() => GraphQLSafeInt, { nullable: true })
  tookMs!: number | null;

  @Field(() => [InvariantReportType])
  invariants!: readonly InvariantResult[];

  @Field(() => [CheckReportType], { description: 'Every check, also those that found nothing.' })
  checks!: readonly CheckReportType[];
}

const RunStatusEnum = enumFromValues(
  'ReconciliationRunStatus',
  RUN_STATUSES,
  'Where a reconciliation stands.',
  { WAITING: 'For a worker.', FAILED: 'It could not read; the log says why. Start another one.' },
);
const RunVerdictEnum = enumFromValues('ReconciliationRunVerdict', ['CLEAN', 'DRIFT'], 'What it came to.', {
  CLEAN: 'Nothing differs, or all that did is corrected.',
});

@ObjectType('ReconciliationRun', { description: 'A reconciliation that staff have asked for.' })
export class ReconciliationRunType {
  @Field(() => ID)
  id!: string;

  @Field(() => RunStatusEnum)
  status!: RunStatus;

  @Field(() => Boolean, { description: 'Whether it corrects what Redis holds.' })
  repair!: boolean;

  @Field(() => String, { description: 'The member of staff.' })
  requestedBy!: string;

  @Field(() => InstantScalar)
  requestedAt!: Date;

  @Field(() => InstantScalar, { nullable: true })
  startedAt?: Date | null;

  @Field(() => InstantScalar, { nullable: true })
  finishedAt?: Date | null;

  @Field(() => Int, { description: 'In percent; a few seconds old.' })
  progress!: number;

  @Field(() => RunVerdictEnum, nullable('Null until it is done.'))
  verdict?: ReconciliationReport['verdict'] | null;

  @Field(() => Int, nullable('Drifts that are left; null until it is done.'))
  drifts?: number | null;
}

export const ReconciliationRunPageType = listPageOf(ReconciliationRunType, 'ReconciliationRunPage');

@InputType()
export class StartReconciliationInput {
  @Field(
    () => Boolean,
    nullable('True corrects what Redis holds by what the database says; the database is never changed.'),
  )
  repair?: boolean | null;
}

export const StartReconciliationPayloadType = payloadType(
  'StartReconciliation',
  START_RECONCILIATION_REFUSALS,
  { run: { type: () => ReconciliationRunType } },
);

export function reportShown({ report, isRunning }: CachedReport): ReconciliationReportType {
  return {
    verdict: report?.verdict ?? 'RUNNING',
    isRunning,
    // One that was kept has its time as text.
    startedAt: report === null ? null : new Date(report.startedAt),
    tookMs: report?.tookMs ?? null,
    invariants: report?.invariants ?? [],
    checks: (report?.checks ?? []).map((check) => ({
      ...check,
      sampleIds: check.samples.map(({ subject }) => subject),
    })),
  };
}
