import { GraphQLError } from 'graphql';
import { Args, Ctx, Query, Resolver } from 'type-graphql';
import { requireStaff } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import { nullable } from '../../graphql/nullable.js';
import type { CampaignReportService } from './campaign-report.service.js';
import { CampaignReportArgs, CampaignReportType } from './campaign-report.types.js';

const DAYS_PRESET = 30;
const DAYS_MAX = 366;

@Resolver()
export class CampaignReportResolver {
  constructor(private readonly service: CampaignReportService) {}

  @Query(
    () => CampaignReportType,
    nullable(
      'Uses, budget, codes, batches and refusals of a campaign, with a chart of its days: from counters, so at the same cost for any number of codes. For staff.',
    ),
  )
  async campaignReport(
    @Args(() => CampaignReportArgs) { campaignId, days }: CampaignReportArgs,
    @Ctx() context: RequestContext,
  ): Promise<object | null> {
    const { tenantId } = requireStaff(context);
    const wanted = days ?? DAYS_PRESET;
    if (wanted < 1 || wanted > DAYS_MAX)
      throw new GraphQLError(`\`days\` must be 1 to ${DAYS_MAX}.`, {
        extensions: { code: 'BAD_USER_INPUT' },
      });
    return this.service.of(tenantId, campaignId, wanted);
  }
}
