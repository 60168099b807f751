import type { Services } from '../app/modules.js';
import { DomainError } from '../platform/errors.js';

/** The id of the user with this id in the tenant's own system. @throws DomainError USER_NOT_FOUND */
export async function userIdOf(
  users: Services['users'],
  tenantId: string,
  externalUserId: string,
): Promise<string> {
  const user = await users.find(tenantId, { externalId: externalUserId });
  if (user !== null) return user.id;
  throw new DomainError('USER_NOT_FOUND', `The tenant has no user ${JSON.stringify(externalUserId)}.`);
}
