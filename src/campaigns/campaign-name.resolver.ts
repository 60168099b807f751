import { Ctx, FieldResolver, Resolver, Root, type ClassType } from 'type-graphql';
import { requireToken } from '../graphql/auth.js';
import type { RequestContext } from '../graphql/context.js';
import type { Id } from '../platform/ids.js';
import type { CampaignNames } from './campaign-names.service.js';

/** A resolver that shows, beside the `campaignId` of a type, the name of the campaign. */
export function campaignNameOf(type: ClassType<{ campaignId: Id }>) {
  @Resolver(() => type)
  class CampaignNameResolver {
    constructor(private readonly names: CampaignNames) {}

    @FieldResolver(() => String, { nullable: true, description: 'The name of the campaign.' })
    async campaignName(
      @Root() { campaignId }: { readonly campaignId: Id },
      @Ctx() context: RequestContext,
    ): Promise<string | null> {
      return this.names.of(requireToken(context).tenantId, campaignId);
    }
  }
  return CampaignNameResolver;
}
