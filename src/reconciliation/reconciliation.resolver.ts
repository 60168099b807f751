import { Ctx, Query, Resolver } from 'type-graphql';
import { requireStaff } from '../graphql/auth.js';
import type { RequestContext } from '../graphql/context.js';
import { ReconciliationReportType, reportShown } from './reconciliation.types.js';
import type { ReportCache } from './report-cache.js';

@Resolver()
export class ReconciliationResolver {
  constructor(private readonly reports: ReportCache) {}

  @Query(() => ReconciliationReportType, {
    description: "Compares what Redis and the database hold of one's own tenant; changes nothing. For staff.",
  })
  async reconciliationReport(@Ctx() context: RequestContext): Promise<ReconciliationReportType> {
    const { tenantId } = requireStaff(context);
    return reportShown(await this.reports.latest(tenantId));
  }
}
