import type { StaffRole, StaffStatus } from './staff.gql';

export const ROLES = ['OWNER', 'OPERATOR', 'AUDITOR'] as const satisfies readonly StaffRole[];
export const STATUSES = ['ACTIVE', 'INVITED', 'DISABLED'] as const satisfies readonly StaffStatus[];

/** What a role may do, for the person who chooses it. */
export const ROLE_TEXTS: Readonly<Record<StaffRole, string>> = {
  OWNER: 'Everything, staff accounts included.',
  OPERATOR: 'Everything except staff accounts.',
  AUDITOR: 'Sees everything, changes nothing.',
};
