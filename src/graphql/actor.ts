import type { Id } from '../platform/ids.js';

export const STAFF_ROLES = ['OWNER', 'OPERATOR', 'AUDITOR'] as const;
export type StaffRole = (typeof STAFF_ROLES)[number];

/** A signed-in user of a tenant. Identity comes from the token, never from an argument. */
export interface UserActor {
  readonly kind: 'USER';
  readonly tenantId: string;
  readonly userId: Id;
  /** The sign-in that the token came from; missing for one that a backend or an operator asked for. */
  readonly sessionId?: Id;
}

/** A member of a tenant's staff. */
export interface StaffActor {
  readonly kind: 'STAFF';
  readonly tenantId: string;
  readonly staffId: string;
  readonly role: StaffRole;
  /** As of a user. */
  readonly sessionId?: Id;
}

/** A server that lets subscribers in. It reads who they are, and nothing else. */
export interface NodeActor {
  readonly kind: 'NODE';
  readonly tenantId: string;
  readonly nodeId: Id;
}

/** A person, or a backend on behalf of persons. */
export type PersonActor = UserActor | StaffActor;
export type Actor = PersonActor | NodeActor;

export const ACTOR_KINDS = ['USER', 'STAFF', 'NODE'] as const satisfies readonly Actor['kind'][];

/** The actor among those of its kind in its tenant. */
export function actorId(actor: Actor): string {
  if (actor.kind === 'USER') return actor.userId;
  return actor.kind === 'STAFF' ? actor.staffId : actor.nodeId;
}

/** Why a person with a genuine token may do nothing. Who does not exist is answered like who is disabled. */
export type PersonRefusal = 'TENANT_NOT_ACTIVE' | 'USER_DISABLED' | 'SESSION_ENDED';
/** The same for callers of any kind: the node of the token was deleted. */
export type AccessRefusal = PersonRefusal | 'NODE_NOT_FOUND';
