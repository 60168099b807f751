import { EDITORS, OWNERS, STAFF, type Permissions } from '../graphql/rule.js';

export const TENANCY_PERMISSIONS: Permissions = {
  query: {
    tenant: STAFF,
    tenants: STAFF,
    productLines: STAFF,
  },
  mutation: {
    createTenant: OWNERS,
    updateTenant: OWNERS,
    createProductLine: EDITORS,
    updateProductLine: EDITORS,
  },
};
