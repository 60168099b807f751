import { STAFF, type Permissions } from '../graphql/rule.js';

export const RECONCILIATION_PERMISSIONS: Permissions = {
  query: {
    reconciliationReport: STAFF,
  },
};
