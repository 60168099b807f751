import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, ID, Info, Mutation, Query, Resolver } from 'type-graphql';
import { requireStaff } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import { nullable } from '../../graphql/nullable.js';
import { ListArgs, type ListPageOf } from '../../graphql/page.js';
import { answer } from '../../graphql/payload.js';
import { rangeOf } from '../../graphql/selects.js';
import type { CouponTemplateService } from './coupon-template.service.js';
import {
  CouponTemplatePageType,
  CouponTemplateType,
  CreateCouponTemplateInput,
  CreateCouponTemplatePayloadType,
  UpdateCouponTemplateInput,
  UpdateCouponTemplatePayloadType,
} from './coupon-template.types.js';

@Resolver(() => CouponTemplateType)
export class CouponTemplateResolver {
  constructor(private readonly templates: CouponTemplateService) {}

  @Mutation(() => CreateCouponTemplatePayloadType, {
    description: 'Creates a coupon template. For OWNER and OPERATOR.',
  })
  async createCouponTemplate(
    @Arg('input', () => CreateCouponTemplateInput) input: CreateCouponTemplateInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ template: await this.templates.create(tenantId, { ...input }) }));
  }

  @Mutation(() => UpdateCouponTemplatePayloadType, {
    description: 'Changes a coupon template; issued coupons are not affected. For OWNER and OPERATOR.',
  })
  async updateCouponTemplate(
    @Arg('input', () => UpdateCouponTemplateInput) { templateId, ...changes }: UpdateCouponTemplateInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ template: await this.templates.update(tenantId, templateId, changes) }));
  }

  @Query(() => CouponTemplateType, nullable('A template of the tenant. For staff.'))
  async couponTemplate(
    @Arg('id', () => ID) id: string,
    @Ctx() context: RequestContext,
  ): Promise<CouponTemplateType | null> {
    return this.templates.find(requireStaff(context).tenantId, id);
  }

  @Query(() => CouponTemplatePageType, {
    description: 'The coupon templates of the tenant, newest first. For staff.',
  })
  async couponTemplates(
    @Args(() => ListArgs) page: ListArgs,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ListPageOf<CouponTemplateType>> {
    return this.templates.list(requireStaff(context).tenantId, rangeOf(page, info));
  }
}
