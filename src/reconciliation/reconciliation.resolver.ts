import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, Info, Mutation, Query, Resolver, Root } from 'type-graphql';
import { requireStaff } from '../graphql/auth.js';
import type { RequestContext } from '../graphql/context.js';
import { ListArgs, type ListPageOf } from '../graphql/page.js';
import { answer } from '../graphql/payload.js';
import { rangeOf, selects } from '../graphql/selects.js';
import type { ReconciliationRun } from './reconciliation-run.entity.js';
import type { ReconciliationRuns } from './reconciliation-runs.service.js';
import {
  ReconciliationReportType,
  ReconciliationRunPageType,
  ReconciliationRunType,
  reportShown,
  StartReconciliationInput,
  StartReconciliationPayloadType,
} from './reconciliation.types.js';
import type { ReportCache } from './report-cache.js';

@Resolver(() => ReconciliationRunType)
export class ReconciliationResolver {
  constructor(
    private readonly reports: ReportCache,
    private readonly runs: ReconciliationRuns,
  ) {}

  @Query(() => ReconciliationReportType, {
    description: "Compares Redis and the database for the caller's tenant; changes nothing. For staff.",
  })
  async reconciliationReport(@Ctx() context: RequestContext): Promise<ReconciliationReportType> {
    const { tenantId } = requireStaff(context);
    return reportShown(await this.reports.latest(tenantId));
  }

  @Mutation(() => StartReconciliationPayloadType, {
    description:
      'Has a worker compare Redis and the database of the tenant, one run at a time. For OWNER and OPERATOR.',
  })
  async startReconciliation(
    @Arg('input', () => StartReconciliationInput) { repair }: StartReconciliationInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId, staffId } = requireStaff(context);
    return answer(async () => ({ run: await this.runs.start(tenantId, staffId, repair === true) }));
  }

  @Query(() => ReconciliationRunPageType, {
    description: 'The last twenty reconciliations that staff have asked for, newest first. For staff.',
  })
  async reconciliationRuns(
    @Args(() => ListArgs) page: ListArgs,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ListPageOf<object>> {
    const { tenantId } = requireStaff(context);
    return this.runs.page(tenantId, selects(info, 'items', 'report'), rangeOf(page, info));
  }

  @FieldResolver(() => ReconciliationReportType, { nullable: true, description: 'Null until it is done.' })
  report(@Root() { report }: ReconciliationRun): ReconciliationReportType | null {
    return report ? reportShown({ report, isRunning: false }) : null;
  }
}
