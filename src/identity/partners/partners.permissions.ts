import { EDITORS, OWNERS, STAFF, type Permissions } from '../../graphql/rule.js';

export const PARTNER_PERMISSIONS: Permissions = {
  query: {
    partner: STAFF,
    partners: STAFF,
    userTokenIssuer: STAFF,
  },
  mutation: {
    createPartner: EDITORS,
    updatePartner: EDITORS,
    createApiKey: EDITORS,
    revokeApiKey: EDITORS,
    registerOperations: EDITORS,
    setUserTokenIssuer: OWNERS,
  },
};
