import { Arg, Args, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql';
import { forbidden, requireStaff } from '../graphql/auth.js';
import type { RequestContext } from '../graphql/context.js';
import { PageArgs, type PageOf } from '../graphql/page.js';
import { answer } from '../graphql/payload.js';
import type { TenantChangeService } from './tenant-change.service.js';
import type { TenantService } from './tenant.service.js';
import {
  CreateTenantInput,
  CreateTenantPayloadType,
  TenantFilterInput,
  TenantPageType,
  TenantType,
  UpdateTenantInput,
  UpdateTenantPayloadType,
} from './tenant.types.js';

@Resolver(() => TenantType)
export class TenantResolver {
  constructor(
    private readonly tenants: TenantService,
    private readonly changes: TenantChangeService,
  ) {}

  @Mutation(() => CreateTenantPayloadType, { description: "Makes a tenant. For a PLATFORM tenant's OWNER." })
  async createTenant(
    @Arg('input', () => CreateTenantInput) input: CreateTenantInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ tenant: await this.tenants.createBy(tenantId, input) }));
  }

  @Mutation(() => UpdateTenantPayloadType, {
    description: "Changes a tenant's name, quota, status, time zone. For a PLATFORM tenant's OWNER.",
  })
  async updateTenant(
    @Arg('input', () => UpdateTenantInput) { tenantId: changedId, ...changes }: UpdateTenantInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ tenant: await this.changes.updateBy(tenantId, changedId, changes) }));
  }

  @Query(() => TenantType, {
    nullable: true,
    description: "One's own tenant, or by its id; of others only for a PLATFORM tenant's staff.",
  })
  async tenant(
    @Arg('id', () => ID, { nullable: true }) id: string | null,
    @Ctx() context: RequestContext,
  ): Promise<TenantType | null> {
    const { tenantId } = requireStaff(context);
    const isOpen =
      id === null || id === undefined || id === tenantId || (await this.tenants.isPlatform(tenantId));
    return isOpen ? this.tenants.find(id ?? tenantId) : null;
  }

  @Query(() => TenantPageType, {
    name: 'tenants',
    description: "All tenants, newest first. For a PLATFORM tenant's staff.",
  })
  async list(
    @Arg('filter', () => TenantFilterInput, { nullable: true }) filter: TenantFilterInput | null,
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() context: RequestContext,
  ): Promise<PageOf<TenantType>> {
    const { tenantId } = requireStaff(context);
    if (await this.tenants.isPlatform(tenantId)) return this.tenants.page(filter ?? {}, page);
    throw forbidden(
      'Only the staff of an active platform tenant see all tenants; ask `tenant` for your own.',
    );
  }
}
