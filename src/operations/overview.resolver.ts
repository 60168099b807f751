import type { GraphQLResolveInfo } from 'graphql';
import { Ctx, Extensions, Info, Query, Resolver } from 'type-graphql';
import { requireStaff } from '../graphql/auth.js';
import type { RequestContext } from '../graphql/context.js';
import { OPEN_IN_OUTAGE } from '../graphql/field-marks.js';
import { selects } from '../graphql/selects.js';
import type { OverviewService } from './overview.service.js';
import { OverviewType } from './overview.types.js';

@Resolver()
export class OverviewResolver {
  constructor(private readonly service: OverviewService) {}

  @Extensions(OPEN_IN_OUTAGE)
  @Query(() => OverviewType, {
    description: 'The state of the tenant in one request; only the fields asked for are read. For staff.',
  })
  async overview(@Ctx() context: RequestContext, @Info() info: GraphQLResolveInfo): Promise<object> {
    const { tenantId } = requireStaff(context);
    return this.service.of(tenantId, (part) => selects(info, part));
  }
}
