import type { Id } from '../platform/ids.js';

export const STAFF_ROLES = ['OWNER', 'OPERATOR', 'AUDITOR'] as const;
export type StaffRole = (typeof STAFF_ROLES)[number];

/** What an API key may be used for: `redeem` signs users in, `codes:sell` allocates and activates codes. */
export const PARTNER_SCOPES = [
  'redeem',
  'codes:read',
  'codes:sell',
  'codes:generate',
  'redemptions:read',
] as const;
export type PartnerScope = (typeof PARTNER_SCOPES)[number];

/** A signed-in user of a tenant. Identity comes from the token, never from an argument. */
export interface UserActor {
  readonly kind: 'USER';
  readonly tenantId: string;
  readonly userId: Id;
  /** The sign-in that the token came from; missing for one that a backend or an operator asked for. */
  readonly sessionId?: Id;
  /** The API key that made the token, which ends with the key's revocation. */
  readonly keyId?: Id;
  /** The one product line at which the token is good; without it all of the tenant. */
  readonly productCode?: string;
  /** The bound device that signed in; missing for others. It has nothing to do with the header `x-device-id`. */
  readonly deviceId?: Id;
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

/** The server of a partner, by its API key. */
export interface PartnerActor {
  readonly kind: 'PARTNER';
  readonly tenantId: string;
  readonly partnerId: Id;
  readonly keyId: Id;
  readonly scopes: readonly PartnerScope[];
  /** The product lines that the key is limited to; null for all of the tenant. */
  readonly productCodes: readonly string[] | null;
}

/** A person, or a backend on behalf of persons. */
export type PersonActor = UserActor | StaffActor;
export type Actor = PersonActor | NodeActor | PartnerActor;

export const ACTOR_KINDS = ['USER', 'STAFF', 'NODE', 'PARTNER'] as const satisfies readonly Actor['kind'][];

/** The actor among those of its kind in its tenant. */
export function actorId(actor: Actor): string {
  switch (actor.kind) {
    case 'USER':
      return actor.userId;
    case 'STAFF':
      return actor.staffId;
    case 'NODE':
      return actor.nodeId;
    case 'PARTNER':
      return actor.partnerId;
  }
}

/** Why a person with a genuine token may do nothing. Who does not exist is answered like who is disabled. */
export type PersonRefusal = 'TENANT_NOT_ACTIVE' | 'USER_DISABLED' | 'SESSION_ENDED';
/** Why nothing may be done with an API key, nor with the user tokens that it has made. */
export type KeyRefusal = 'API_KEY_REVOKED' | 'API_KEY_EXPIRED' | 'PARTNER_DISABLED';
/** The same for callers of any kind: the node of the token was deleted. */
export type AccessRefusal = PersonRefusal | KeyRefusal | 'NODE_NOT_FOUND';
