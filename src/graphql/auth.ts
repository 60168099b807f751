import { GraphQLError } from 'graphql';
import type { Actor, NodeActor, PartnerActor, PersonActor, StaffActor, UserActor } from './actor.js';
import type { RequestContext } from './context.js';
import { denialOf, NODES, PARTNERS, signInFirst, STAFF, USERS, type Rule } from './rule.js';

export { forbidden } from './rule.js';

export const TENANT_NOT_ACTIVE_MESSAGE =
  'This tenant does not exist or is disabled. Ask the operator of the installation.';

/*
 * Who may use an operation is decided by its row in the table of permissions, before its resolver runs. These functions
 * narrow the type of the caller for resolvers whose operation has one kind of callers, or two.
 */

/** The caller, of any kind. @throws GraphQLError UNAUTHENTICATED without a token. */
export function requireToken(context: RequestContext): Actor {
  if (context.actor === null) throw signInFirst();
  return context.actor;
}

/** The signed-in user or member of staff. @throws GraphQLError UNAUTHENTICATED or FORBIDDEN. */
export function requireActor(context: RequestContext): PersonActor {
  return admitted(context, { ...USERS, ...STAFF }) as PersonActor;
}

/** A node, or a member of staff. @throws GraphQLError UNAUTHENTICATED or FORBIDDEN. */
export function requireNodeOrStaff(context: RequestContext): NodeActor | StaffActor {
  return admitted(context, { ...NODES, ...STAFF }) as NodeActor | StaffActor;
}

/** The signed-in user of a tenant. @throws GraphQLError UNAUTHENTICATED or FORBIDDEN. */
export function requireUser(context: RequestContext): UserActor {
  return admitted(context, USERS) as UserActor;
}

/** A member of staff, of any role. @throws GraphQLError UNAUTHENTICATED or FORBIDDEN. */
export function requireStaff(context: RequestContext): StaffActor {
  return admitted(context, STAFF) as StaffActor;
}

/** The caller's tenant: that of the token, without one the tenant of the header. @throws GraphQLError BAD_USER_INPUT for neither. */
export function requireTenantId({ actor, tenantId: named }: RequestContext): string {
  const tenantId = actor?.tenantId ?? named;
  if (tenantId !== null) return tenantId;
  throw new GraphQLError('Name the tenant: send the header `x-tenant-id`, or sign in.', {
    extensions: { code: 'BAD_USER_INPUT' },
  });
}

/** The same answer for a tenant that does not exist and for one that is disabled. */
export function tenantNotActive(): GraphQLError {
  return new GraphQLError(TENANT_NOT_ACTIVE_MESSAGE, { extensions: { code: 'TENANT_NOT_ACTIVE' } });
}

/** A member of staff, or the server of a partner. @throws GraphQLError UNAUTHENTICATED or FORBIDDEN. */
export function requireStaffOrPartner(context: RequestContext): PartnerActor | StaffActor {
  return admitted(context, { ...STAFF, ...PARTNERS }) as PartnerActor | StaffActor;
}

/** The same, or a user. @throws GraphQLError UNAUTHENTICATED or FORBIDDEN. */
export function requireActorOrPartner(context: RequestContext): PartnerActor | PersonActor {
  return admitted(context, { ...USERS, ...STAFF, ...PARTNERS }) as PartnerActor | PersonActor;
}

function admitted({ actor }: RequestContext, kinds: Rule): Actor | null {
  const denial = denialOf(kinds, actor);
  if (denial !== null) throw denial;
  return actor;
}
