import { GraphQLError } from 'graphql';
import { GraphQLSafeInt } from 'graphql-scalars';
import { ArgsType, Field, ID, ObjectType } from 'type-graphql';
import { enumFromValues } from '../../graphql/enums.js';
import { nullable } from '../../graphql/nullable.js';
import { InstantScalar } from '../../graphql/scalars.js';
import { RedeemCodeErrorCodeEnum } from '../redemption.types.js';
import type { RedeemRefusal } from '../redemption.errors.js';
import type { SeriesRange } from './redemption-series.reader.js';
import { KEPT_DAYS, SERIES_STEPS, STEP_MS, type SeriesStep } from './series-points.js';

/** A month of hours, a day of minutes, four years of days. */
const POINTS_MAX = 1500;

const SeriesStepEnum = enumFromValues(
  'SeriesStep',
  SERIES_STEPS,
  'The time that a point stands for, in UTC.',
  {
    MINUTE: 'Kept for two days.',
    HOUR: 'Kept for 400 days.',
    DAY: 'Kept for good.',
  },
);

@ArgsType()
export class RedemptionSeriesArgs {
  @Field(() => InstantScalar, { description: 'The first point is the one that holds this instant.' })
  from!: Date;

  @Field(() => InstantScalar, nullable('Points that begin before this instant; missing means until now.'))
  to?: Date | null;

  @Field(() => SeriesStepEnum)
  step!: SeriesStep;

  @Field(() => ID, nullable('One campaign; missing means all, and refusals of codes that were not found.'))
  campaignId?: string | null;

  @Field(() => String, nullable('One product line; missing means all.'))
  productCode?: string | null;
}

@ObjectType('RefusalSeries', { description: 'Refusals with one reason over time.' })
export class RefusalSeriesType {
  @Field(() => RedeemCodeErrorCodeEnum)
  refusal!: RedeemRefusal;

  @Field(() => [GraphQLSafeInt], { description: 'One number for each point.' })
  counts!: number[];

  @Field(() => GraphQLSafeInt)
  total!: number;
}

@ObjectType('RedemptionSeries', {
  description:
    'Counts over time, as arrays with one item for each point. Redemptions are counted within about a second of their commit, refusals within some seconds of their answer.',
})
export class RedemptionSeriesType {
  @Field(() => SeriesStepEnum)
  step!: SeriesStep;

  @Field(() => [InstantScalar], { description: 'When each point begins.' })
  startsAt!: Date[];

  @Field(() => [GraphQLSafeInt], {
    description: 'Redemptions by the instant of the claim, reversed ones included.',
  })
  committed!: number[];

  @Field(() => [GraphQLSafeInt], { description: 'Reversals by their instant.' })
  reversed!: number[];

  @Field(() => [GraphQLSafeInt], { description: 'Refused attempts by their instant; previews do not count.' })
  refused!: number[];

  @Field(() => [RefusalSeriesType], { description: 'The same by their reasons, the most frequent first.' })
  refusals!: RefusalSeriesType[];

  @Field(() => Boolean, {
    description:
      'False until a worker has counted redemptions from before an upgrade: then they are missing here.',
  })
  isCounted!: boolean;
}

/** @throws GraphQLError BAD_USER_INPUT */
export function rangeOfSeries(args: RedemptionSeriesArgs, nowMs: number): SeriesRange {
  const { from, step } = args;
  const to = args.to ?? new Date(nowMs);
  if (from >= to) throw badRange('`from` must lie before `to`.');
  if (to.getTime() - from.getTime() > POINTS_MAX * STEP_MS[step])
    throw badRange(`This is more than ${POINTS_MAX} points. Ask for a shorter time, or for longer steps.`);
  const keptDays = step === 'DAY' ? null : KEPT_DAYS[step];
  if (keptDays !== null && from.getTime() < nowMs - (keptDays + 1) * STEP_MS.DAY)
    throw badRange(
      `Points of a ${step} are kept for ${keptDays} days. Ask for a later time, or for longer steps.`,
    );
  return { ...args, to };
}

function badRange(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });
}
