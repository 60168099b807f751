import { Args, Ctx, Query, Resolver } from 'type-graphql';
import { requireStaff } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import type { Clock } from '../../platform/clock.js';
import { isId } from '../../platform/ids.js';
import type { RedemptionSeriesReader } from './redemption-series.reader.js';
import { RedemptionSeriesArgs, RedemptionSeriesType, rangeOfSeries } from './redemption-series.types.js';

@Resolver()
export class RedemptionSeriesResolver {
  constructor(
    private readonly reader: RedemptionSeriesReader,
    private readonly clock: Clock,
  ) {}

  @Query(() => RedemptionSeriesType, {
    description:
      'Redemptions, reversals and refusals over time, for charts: up to 1,500 points, at the same cost for any number of redemptions. For staff.',
  })
  async redemptionSeries(
    @Args(() => RedemptionSeriesArgs) args: RedemptionSeriesArgs,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    const range = rangeOfSeries(args, this.clock.nowMs());
    // What is no id matches nothing, as in lists.
    const campaignId = args.campaignId && !isId(args.campaignId) ? NO_CAMPAIGN : args.campaignId;
    return this.reader.read(tenantId, { ...range, campaignId });
  }
}

/** No campaign has the largest id. */
const NO_CAMPAIGN = '9223372036854775807';
