import { FieldResolver, Resolver, Root } from 'type-graphql';
import type { DirectoryService } from '../tenancy/directory/directory.service.js';
import { CampaignType } from './campaign.types.js';

/** Says how much the name and the type of the tenant that a campaign bears can be relied on. */
@Resolver(() => CampaignType)
export class CampaignTenantResolver {
  constructor(private readonly directory: Pick<DirectoryService, 'isStale'>) {}

  @FieldResolver(() => Boolean, {
    description:
      'Whether `tenantName` and `tenantType` may be out of date, because the tenant directory has not answered lately.',
  })
  async tenantFieldsStale(@Root() { tenantId }: { readonly tenantId: string }): Promise<boolean> {
    return this.directory.isStale(tenantId);
  }
}
