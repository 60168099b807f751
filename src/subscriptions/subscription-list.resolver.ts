import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, Info, Query, Resolver, Root } from 'type-graphql';
import { requireStaff } from '../graphql/auth.js';
import type { RequestContext } from '../graphql/context.js';
import { SortedListArgs, type ListPageOf } from '../graphql/page.js';
import { rangeOf } from '../graphql/selects.js';
import type { PlanService } from './plan.service.js';
import { PlanType } from './plan.types.js';
import type { SubscriptionList } from './subscription-list.js';
import {
  StaffSubscriptionPageType,
  StaffSubscriptionType,
  SubscriptionFilterInput,
} from './subscription-list.types.js';

@Resolver(() => StaffSubscriptionType)
export class SubscriptionListResolver {
  constructor(
    private readonly list: SubscriptionList,
    private readonly plans: PlanService,
  ) {}

  @Query(() => StaffSubscriptionPageType, { description: 'The subscriptions of users. For staff.' })
  async subscriptions(
    @Arg('filter', () => SubscriptionFilterInput, { nullable: true }) filter: SubscriptionFilterInput | null,
    @Args(() => SortedListArgs) page: SortedListArgs,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ListPageOf<StaffSubscriptionType>> {
    return this.list.page(requireStaff(context).tenantId, filter ?? {}, rangeOf(page, info));
  }

  @FieldResolver(() => PlanType, { nullable: true })
  async plan(
    @Root() { planId }: StaffSubscriptionType,
    @Ctx() context: RequestContext,
  ): Promise<PlanType | null> {
    return this.plans.find(requireStaff(context).tenantId, planId);
  }
}
