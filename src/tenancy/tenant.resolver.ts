import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { requireStaff } from '../graphql/auth.js';
import type { RequestContext } from '../graphql/context.js';
import { answer } from '../graphql/payload.js';
import type { TenantService } from './tenant.service.js';
import { CreateTenantInput, CreateTenantPayloadType, TenantType } from './tenant.types.js';

@Resolver(() => TenantType)
export class TenantResolver {
  constructor(private readonly tenants: TenantService) {}

  @Mutation(() => CreateTenantPayloadType, { description: "Makes a tenant. For a PLATFORM tenant's OWNER." })
  async createTenant(
    @Arg('input', () => CreateTenantInput) input: CreateTenantInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context, 'OWNER');
    return answer(async () => ({ tenant: await this.tenants.createBy(tenantId, input) }));
  }
}
