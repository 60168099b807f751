import { EDITORS, OWNERS, PUBLIC, STAFF, type Permissions } from '../graphql/rule.js';

export const TENANCY_PERMISSIONS: Permissions = {
  query: {
    tenant: STAFF,
    tenants: STAFF,
    productLines: STAFF,
    globalConfig: PUBLIC,
    announcements: PUBLIC,
  },
  mutation: {
    createTenant: OWNERS,
    updateTenant: OWNERS,
    createProductLine: EDITORS,
    updateProductLine: EDITORS,
    updateGlobalConfig: EDITORS,
    createAnnouncement: EDITORS,
    updateAnnouncement: EDITORS,
    deleteAnnouncement: EDITORS,
  },
};
