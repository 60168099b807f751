import { Ctx, Query, Resolver } from 'type-graphql';
import { requireStaff } from '../graphql/auth.js';
import type { RequestContext } from '../graphql/context.js';
import { ReconciliationReportType, reportShown } from './reconciliation.types.js';
import type { ReportCache } from './report-cache.js';

@Resolver()
export class ReconciliationResolver {
  constructor(private readonly reports: ReportCache) {}

  @Query(() => ReconciliationReportType, {
    description: "Compares Redis and the database for the caller's tenant; changes nothing. For staff.",
  })
  async reconciliationReport(@Ctx() context: RequestContext): Promise<ReconciliationReportType> {
    const { tenantId } = requireStaff(context);
    return reportShown(await this.reports.latest(tenantId));
  }
}
