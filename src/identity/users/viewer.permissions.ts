import type { Actor } from '../../graphql/actor.js';
import { EDITORS, NODES, OWNERS, permits, STAFF, USERS, type Rule } from '../../graphql/rule.js';

/** The permissions of a caller; single operations may still refuse. */
export const PERMISSIONS = [
  'REDEEM',
  'SPEND',
  'READ',
  'READ_NODE_USERS',
  'CHANGE',
  'CHANGE_STAFF',
  'READ_TENANTS',
  'CHANGE_TENANTS',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** Who has each permission: the rules that the operations of its kind have in the table. */
const HOLDERS: Readonly<Record<Permission, Rule>> = {
  REDEEM: USERS,
  SPEND: USERS,
  READ: STAFF,
  READ_NODE_USERS: { ...NODES, ...EDITORS },
  CHANGE: EDITORS,
  CHANGE_STAFF: OWNERS,
  READ_TENANTS: STAFF,
  CHANGE_TENANTS: OWNERS,
};

/** Of a tenant that runs the installation alone; the services of tenants judge that. */
const OF_PLATFORM: ReadonlySet<Permission> = new Set(['READ_TENANTS', 'CHANGE_TENANTS']);
export const OPERATIONS_OF_PLATFORM: ReadonlySet<string> = new Set([
  'tenants',
  'createTenant',
  'updateTenant',
]);

/** @param isPlatform whether the caller's tenant runs the installation, and is active */
export function permissionsOf(actor: Actor, isPlatform: boolean): Permission[] {
  return PERMISSIONS.filter(
    (permission) => (isPlatform || !OF_PLATFORM.has(permission)) && permits(HOLDERS[permission], actor),
  );
}
