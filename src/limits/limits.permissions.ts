import { EDITORS, STAFF, USERS, type Permissions } from '../graphql/rule.js';

export const LIMITS_PERMISSIONS: Permissions = {
  query: {
    rateLimitUsage: { ...USERS, ...STAFF },
    rateLimits: STAFF,
  },
  mutation: {
    setRateLimit: EDITORS,
  },
  subscription: {
    rateLimitUsageChanged: { ...USERS, ...STAFF },
  },
};
