import type { Id } from '../platform/ids.js';

export const STAFF_ROLES = ['OWNER', 'OPERATOR', 'AUDITOR'] as const;
export type StaffRole = (typeof STAFF_ROLES)[number];

/** A signed-in user of a tenant. Identity comes from the token, never from an argument. */
export interface UserActor {
  readonly kind: 'USER';
  readonly tenantId: string;
  readonly userId: Id;
}

/** A member of a tenant's staff. */
export interface StaffActor {
  readonly kind: 'STAFF';
  readonly tenantId: string;
  readonly staffId: string;
  readonly role: StaffRole;
}

export type Actor = UserActor | StaffActor;

export const ACTOR_KINDS = ['USER', 'STAFF'] as const satisfies readonly Actor['kind'][];

/** Why a caller with a genuine token may do nothing. Who does not exist is answered like who is disabled. */
export type AccessRefusal = 'TENANT_NOT_ACTIVE' | 'USER_DISABLED';
