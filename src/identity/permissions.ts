import type { Actor } from '../graphql/actor.js';

/** What a caller may do at all; single operations may still refuse, and say why. */
export const PERMISSIONS = [
  'REDEEM',
  'SPEND',
  'READ',
  'READ_NODE_USERS',
  'CHANGE',
  'READ_TENANTS',
  'CHANGE_TENANTS',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** @param isPlatform whether the caller's tenant runs the installation, and is active */
export function permissionsOf(actor: Actor, isPlatform: boolean): Permission[] {
  if (actor.kind === 'USER') return ['REDEEM', 'SPEND'];
  if (actor.kind === 'NODE') return ['READ_NODE_USERS'];
  const own: Permission[] = actor.role === 'AUDITOR' ? ['READ'] : ['READ', 'READ_NODE_USERS', 'CHANGE'];
  if (!isPlatform) return own;
  return actor.role === 'OWNER' ? [...own, 'READ_TENANTS', 'CHANGE_TENANTS'] : [...own, 'READ_TENANTS'];
}
