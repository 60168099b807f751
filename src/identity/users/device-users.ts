import { foreignKeyText } from '../../platform/input.js';
import type { Id } from '../../platform/ids.js';

/** How users that the sign-in by device has made are called: the tenant's own system knows them by nothing else. */
const DEVICE_USERS = 'device:';

export const externalIdOfNew = (userId: Id): string => `${DEVICE_USERS}${userId}`;

export const isDeviceUser = (externalId: string): boolean => externalId.startsWith(DEVICE_USERS);

/**
 * The id of a user of the tenant's own system. With a name of the others a partner could sign in as somebody who has only
 * ever signed in by device, and such a user would be taken for one whom no other system knows.
 */
export const ownUserIdText = foreignKeyText.refine(
  (text) => !isDeviceUser(text),
  `must not begin with ${DEVICE_USERS}, as the ids of users who sign in by device do`,
);
