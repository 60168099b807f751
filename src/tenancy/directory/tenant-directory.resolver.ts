import { FieldResolver, Resolver, Root } from 'type-graphql';
import { TenantType } from '../tenant.types.js';
import type { DirectoryService } from './directory.service.js';

/** Says how much the fields of a tenant that its directory owns can be relied on. */
@Resolver(() => TenantType)
export class TenantDirectoryResolver {
  constructor(private readonly directory: Pick<DirectoryService, 'isStale'>) {}

  @FieldResolver(() => Boolean, {
    description:
      'Whether `name`, `type` and `status` may be out of date, because the tenant directory has not answered lately.',
  })
  async tenantFieldsStale(@Root() { id }: { readonly id: string }): Promise<boolean> {
    return this.directory.isStale(id);
  }
}
