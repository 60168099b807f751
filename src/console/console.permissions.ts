import { PUBLIC, type Permissions } from '../graphql/rule.js';

/** Callers of these have no access token yet; each proves itself by what it sends. */
export const CONSOLE_PERMISSIONS: Permissions = {
  http: {
    'POST /console/session': PUBLIC,
    'POST /console/session/oidc': PUBLIC,
    'POST /console/session/link': PUBLIC,
    'POST /console/session/refresh': PUBLIC,
    'POST /console/session/end': PUBLIC,
  },
};
