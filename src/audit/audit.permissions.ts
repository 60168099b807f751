import type { Permissions, Rule } from '../graphql/rule.js';

/** OPERATORs are those whose changes are looked at, and entries tell where OWNERs sign in from. */
const AUDITORS = { STAFF: ['OWNER', 'AUDITOR'] } as const satisfies Rule;

export const AUDIT_PERMISSIONS: Permissions = {
  query: {
    auditLog: AUDITORS,
    auditEntry: AUDITORS,
  },
};
