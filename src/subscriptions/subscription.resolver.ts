import { Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { requireActor, requireUser } from '../graphql/auth.js';
import type { RequestContext } from '../graphql/context.js';
import type { PlanService } from './plan.service.js';
import { PlanType } from './plan.types.js';
import type { SubscriptionService } from './subscription.service.js';
import { UserSubscriptionType } from './subscription.types.js';

@Resolver(() => UserSubscriptionType)
export class SubscriptionResolver {
  constructor(
    private readonly subscriptions: SubscriptionService,
    private readonly plans: PlanService,
  ) {}

  @Query(() => [UserSubscriptionType], {
    description: 'Present and past subscriptions of the signed-in user, newest first; at most 500.',
  })
  async mySubscriptions(@Ctx() context: RequestContext): Promise<UserSubscriptionType[]> {
    const { tenantId, userId } = requireUser(context);
    return this.subscriptions.mine(tenantId, userId);
  }

  @FieldResolver(() => PlanType, { nullable: true })
  async plan(
    @Root() subscription: UserSubscriptionType,
    @Ctx() context: RequestContext,
  ): Promise<PlanType | null> {
    return this.plans.find(requireActor(context).tenantId, subscription.planId);
  }
}
