import { foreignKeyText } from '../../platform/input.js';
import type { Id } from '../../platform/ids.js';

/** Prefix of the external ids of users who signed up by device and are unknown to the tenant's own system. */
const DEVICE_USERS = 'device:';
/** Of users whose data were erased. */
const ERASED_USERS = 'erased:';

export const externalIdOfNew = (userId: Id): string => `${DEVICE_USERS}${userId}`;

export const isDeviceUser = (externalId: string): boolean => externalId.startsWith(DEVICE_USERS);

/**
 * The id of a user of the tenant's own system. Ids of device users are refused: with one of them a partner could sign in
 * as a user who signed up by device. So are those of erased users, which the erasure gives.
 */
export const ownUserIdText = foreignKeyText
  .refine(
    (text) => !isDeviceUser(text),
    `must not begin with ${DEVICE_USERS}, as the ids of users who sign in by device do`,
  )
  .refine((text) => !text.startsWith(ERASED_USERS), `must not begin with ${ERASED_USERS}`);
