import { EDITORS, STAFF, type Permissions } from '../graphql/rule.js';

export const RECONCILIATION_PERMISSIONS: Permissions = {
  query: {
    reconciliationReport: STAFF,
    reconciliationRuns: STAFF,
  },
  mutation: {
    startReconciliation: EDITORS,
  },
};
