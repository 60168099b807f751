import { STAFF, type Permissions } from '../graphql/rule.js';

export const OPERATIONS_PERMISSIONS: Permissions = {
  query: {
    overview: STAFF,
    codeHistory: STAFF,
  },
};
