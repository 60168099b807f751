import type { GraphQLResolveInfo } from 'graphql';
import { Ctx, Info, Query, Resolver } from 'type-graphql';
import type { Actor } from '../../graphql/actor.js';
import type { RequestContext } from '../../graphql/context.js';
import { nullable } from '../../graphql/nullable.js';
import { permittedOperations } from '../../graphql/permit-operations.js';
import { runsInstallation, type TenantService } from '../../tenancy/tenant.service.js';
import { OPERATIONS_OF_PLATFORM, permissionsOf } from './viewer.permissions.js';
import type { StaffService } from '../staff/staff.service.js';
import type { UserService } from './user.service.js';
import { ViewerType } from './viewer.types.js';

@Resolver()
export class ViewerResolver {
  constructor(
    private readonly tenants: TenantService,
    private readonly users: UserService,
    private readonly accounts: Pick<StaffService, 'find'>,
  ) {}

  @Query(() => ViewerType, nullable('The caller by the token, with their rights; null without a token.'))
  async viewer(@Ctx() { actor }: RequestContext, @Info() info: GraphQLResolveInfo): Promise<object | null> {
    if (actor === null) return null;
    const tenant = await this.tenants.find(actor.tenantId);
    const isPlatform = runsInstallation(tenant);
    const staff = actor.kind === 'STAFF' ? actor : null;
    return {
      kind: actor.kind,
      tenantId: actor.tenantId,
      tenantName: tenant?.name ?? null,
      tenantType: tenant?.type ?? null,
      staffId: staff?.staffId ?? null,
      role: staff?.role ?? null,
      staff: staff?.sessionId === undefined ? null : await this.accounts.find(staff.tenantId, staff.staffId),
      user: actor.kind === 'USER' ? await this.users.find(actor.tenantId, { id: actor.userId }) : null,
      nodeId: actor.kind === 'NODE' ? actor.nodeId : null,
      ...partnerOf(actor),
      permissions: permissionsOf(actor, isPlatform),
      operations: permittedOperations(info.schema, actor).filter(
        (name) => isPlatform || !OPERATIONS_OF_PLATFORM.has(name),
      ),
    };
  }
}

function partnerOf(actor: Actor): Pick<ViewerType, 'partnerId' | 'scopes'> {
  if (actor.kind !== 'PARTNER') return { partnerId: null, scopes: null };
  return { partnerId: actor.partnerId, scopes: [...actor.scopes] };
}
