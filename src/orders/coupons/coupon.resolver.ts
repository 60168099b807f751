import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, Info, Mutation, Query, Resolver, Root } from 'type-graphql';
import { requireActor, requireStaff, requireUser } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import { idempotencyKeyOf } from '../../graphql/idempotency-key.js';
import { nullable } from '../../graphql/nullable.js';
import { ListArgs, type ListPageOf } from '../../graphql/page.js';
import { answer } from '../../graphql/payload.js';
import { rangeOf } from '../../graphql/selects.js';
import type { CouponIssueService } from './coupon-issue.service.js';
import type { CouponReader } from './coupon-reader.service.js';
import type { CouponTemplateService } from './coupon-template.service.js';
import {
  CouponFilterInput,
  CouponPageType,
  CouponType,
  IssueCouponInput,
  IssueCouponPayloadType,
  MyCouponFilterInput,
} from './coupon.types.js';

@Resolver(() => CouponType)
export class CouponResolver {
  constructor(
    private readonly issues: CouponIssueService,
    private readonly reader: CouponReader,
    private readonly templates: CouponTemplateService,
  ) {}

  @Mutation(() => IssueCouponPayloadType, {
    description: 'Issues coupons to a user, all or none. For OWNER and OPERATOR.',
  })
  async issueCoupon(
    @Arg('input', () => IssueCouponInput) input: IssueCouponInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => {
      const idempotencyKey = idempotencyKeyOf(context, input);
      return this.issues.issue(tenantId, { ...input, idempotencyKey });
    });
  }

  @Query(() => CouponPageType, { description: "One's own coupons, newest first." })
  async myCoupons(
    @Arg('filter', () => MyCouponFilterInput, { nullable: true }) filter: MyCouponFilterInput | null,
    @Args(() => ListArgs) page: ListArgs,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ListPageOf<CouponType>> {
    const { tenantId, userId } = requireUser(context);
    return this.reader.page(tenantId, { ...filter, userId }, rangeOf(page, info));
  }

  @Query(() => CouponPageType, { description: 'The coupons of the tenant, newest first. For staff.' })
  async coupons(
    @Arg('filter', () => CouponFilterInput, { nullable: true }) filter: CouponFilterInput | null,
    @Args(() => ListArgs) page: ListArgs,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ListPageOf<CouponType>> {
    return this.reader.page(requireStaff(context).tenantId, { ...filter }, rangeOf(page, info));
  }

  @FieldResolver(() => String, nullable('The name of its template.'))
  async name(@Root() coupon: CouponType, @Ctx() context: RequestContext): Promise<string | null> {
    const template = await this.templates.findCached(requireActor(context).tenantId, coupon.templateId);
    return template?.name ?? null;
  }
}
