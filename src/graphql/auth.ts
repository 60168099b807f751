import { GraphQLError } from 'graphql';
import type { Actor, NodeActor, PersonActor, StaffActor, StaffRole, UserActor } from './actor.js';
import type { RequestContext } from './context.js';

/** The signed-in user or member of staff. @throws GraphQLError UNAUTHENTICATED or FORBIDDEN. */
export function requireActor(context: RequestContext): PersonActor {
  const actor = requireToken(context);
  if (actor.kind !== 'NODE') return actor;
  throw forbidden('Only users and staff may do this; the token sent belongs to a node.');
}

/** A node, or a member of staff with one of the roles. @throws GraphQLError UNAUTHENTICATED or FORBIDDEN. */
export function requireNodeOrStaff(context: RequestContext, ...roles: StaffRole[]): NodeActor | StaffActor {
  const actor = requireToken(context);
  return actor.kind === 'NODE' ? actor : requireStaff(context, ...roles);
}

/** The caller, of any kind. @throws GraphQLError UNAUTHENTICATED without a token. */
export function requireToken(context: RequestContext): Actor {
  if (context.actor !== null) return context.actor;
  throw new GraphQLError('Sign in first: send the header `authorization: Bearer <token>`.', {
    extensions: { code: 'UNAUTHENTICATED' },
  });
}

/** The signed-in user of a tenant. @throws GraphQLError UNAUTHENTICATED or FORBIDDEN. */
export function requireUser(context: RequestContext): UserActor {
  const actor = requireActor(context);
  if (actor.kind === 'USER') return actor;
  throw forbidden("This is done in a user's name; the token sent belongs to a member of staff.");
}

/** A member of staff with one of the roles; no role named means any. @throws GraphQLError UNAUTHENTICATED or FORBIDDEN. */
export function requireStaff(context: RequestContext, ...roles: StaffRole[]): StaffActor {
  const actor = requireActor(context);
  if (actor.kind !== 'STAFF') {
    throw forbidden("Only a tenant's staff may do this; the token sent belongs to a user.");
  }
  if (roles.length === 0 || roles.includes(actor.role)) return actor;
  throw forbidden(`The role ${actor.role} may not do this; it takes ${roles.join(' or ')}.`);
}

/** The token is good, and may not do this. */
export function forbidden(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'FORBIDDEN' } });
}
