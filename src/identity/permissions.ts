import type { Actor, StaffRole } from '../graphql/actor.js';

/** What a caller may do at all; single operations may still refuse, and say why. */
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

const OPERATE = ['READ', 'READ_NODE_USERS', 'CHANGE'] as const;
/** What staff may do in their own tenant. */
const OWN: Readonly<Record<StaffRole, readonly Permission[]>> = {
  OWNER: [...OPERATE, 'CHANGE_STAFF'],
  OPERATOR: OPERATE,
  AUDITOR: ['READ'],
};

/** @param isPlatform whether the caller's tenant runs the installation, and is active */
export function permissionsOf(actor: Actor, isPlatform: boolean): Permission[] {
  if (actor.kind === 'USER') return ['REDEEM', 'SPEND'];
  if (actor.kind === 'NODE') return ['READ_NODE_USERS'];
  const own = OWN[actor.role];
  if (!isPlatform) return [...own];
  return actor.role === 'OWNER' ? [...own, 'READ_TENANTS', 'CHANGE_TENANTS'] : [...own, 'READ_TENANTS'];
}
