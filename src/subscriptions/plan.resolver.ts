import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, ID, Info, Mutation, Query, Resolver } from 'type-graphql';
import { requireActor, requireStaff } from '../graphql/auth.js';
import type { RequestContext } from '../graphql/context.js';
import { nullable } from '../graphql/nullable.js';
import { ListArgs, type ListPageOf } from '../graphql/page.js';
import { answer } from '../graphql/payload.js';
import { rangeOf } from '../graphql/selects.js';
import type { PlanService } from './plan.service.js';
import {
  CreatePlanInput,
  CreatePlanPayloadType,
  PlanPageType,
  PlanType,
  UpdatePlanInput,
  UpdatePlanPayloadType,
} from './plan.types.js';

@Resolver(() => PlanType)
export class PlanResolver {
  constructor(private readonly service: PlanService) {}

  @Mutation(() => CreatePlanPayloadType, { description: 'Makes a plan. For OWNER and OPERATOR.' })
  async createPlan(
    @Arg('input', () => CreatePlanInput) input: CreatePlanInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ plan: await this.service.create(tenantId, input) }));
  }

  @Mutation(() => UpdatePlanPayloadType, {
    description: 'Changes a plan, with effect on later purchases and redemptions. For OWNER and OPERATOR.',
  })
  async updatePlan(
    @Arg('input', () => UpdatePlanInput) { planId, ...changes }: UpdatePlanInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ plan: await this.service.update(tenantId, planId, changes) }));
  }

  @Query(() => PlanType, nullable('A plan of the tenant. Users find only plans with `show`.'))
  async plan(@Arg('id', () => ID) id: string, @Ctx() context: RequestContext): Promise<PlanType | null> {
    const actor = requireActor(context);
    return this.service.findFor(actor.tenantId, id, actor.kind === 'USER');
  }

  @Query(() => PlanPageType, {
    description: 'The plans of the tenant. Users see only plans with `show`.',
  })
  async plans(
    @Args(() => ListArgs) page: ListArgs,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ListPageOf<PlanType>> {
    const actor = requireActor(context);
    return this.service.list(actor.tenantId, rangeOf(page, info), actor.kind === 'USER');
  }
}
