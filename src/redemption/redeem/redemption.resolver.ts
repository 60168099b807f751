import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, Extensions, ID, Info, Mutation, Query, Resolver } from 'type-graphql';
import { JUDGES_ACCESS, UNSHARED } from '../../graphql/field-marks.js';
import { requireActorOrPartner, requireUser } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import { nullable } from '../../graphql/nullable.js';
import { SortedListArgs } from '../../graphql/page.js';
import { rangeOf } from '../../graphql/selects.js';
import { previewPayload, redeemPayload, redeemRequest } from './redemption-payload.js';
import type { RedemptionPreviewService } from './redemption-preview.service.js';
import { findRedemption, listRedemptions, type RedemptionLists } from '../history/redemption-queries.js';
import type { RedemptionService } from './redemption.service.js';
import {
  PreviewRedemptionPayload,
  RedeemCodeInput,
  RedeemCodePayload,
  RedemptionFilter,
  RedemptionPageType,
  RedemptionType,
} from '../redemption.types.js';

@Resolver()
export class RedemptionResolver {
  constructor(
    private readonly service: RedemptionService,
    private readonly previews: RedemptionPreviewService,
    private readonly lists: RedemptionLists,
  ) {}

  @Extensions({ ...JUDGES_ACCESS, ...UNSHARED })
  @Mutation(() => RedeemCodePayload, { description: 'Redeems a code for the signed-in user, exactly once.' })
  async redeemCode(
    @Ctx() context: RequestContext,
    @Arg('input', () => RedeemCodeInput) input: RedeemCodeInput,
  ) {
    const request = redeemRequest(requireUser(context), context, input);
    return redeemPayload(await this.service.redeem(request, context));
  }

  @Extensions(JUDGES_ACCESS)
  @Query(() => PreviewRedemptionPayload, {
    description: 'The result of redeeming a code now, without redeeming it.',
  })
  async previewRedemption(@Ctx() context: RequestContext, @Arg('code', () => String) code: string) {
    const request = redeemRequest(requireUser(context), context, { code });
    return previewPayload(await this.previews.preview(request));
  }

  @Query(
    () => RedemptionType,
    nullable("One's own; staff, and API keys with the scope `redemptions:read`, see their tenant's."),
  )
  async redemption(@Ctx() context: RequestContext, @Arg('id', () => ID) id: string) {
    return findRedemption(this.lists.reader, requireActorOrPartner(context), id);
  }

  @Query(() => RedemptionPageType, {
    description: "One's own; staff, and API keys with the scope `redemptions:read`, see their tenant's.",
  })
  async redemptions(
    @Ctx() context: RequestContext,
    @Args(() => SortedListArgs) page: SortedListArgs,
    @Arg('filter', () => RedemptionFilter, { nullable: true }) filter: RedemptionFilter | null,
    @Info() info: GraphQLResolveInfo,
  ) {
    return listRedemptions(this.lists, requireActorOrPartner(context), filter ?? {}, rangeOf(page, info));
  }
}
