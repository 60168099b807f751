import { User } from '../identity/users/user.entity.js';
import type { Em } from '../platform/database/orm.js';
import { DomainError } from '../platform/errors.js';
import { isId, type Id } from '../platform/ids.js';

/** @throws DomainError USER_NOT_FOUND @param field of the input that names the user */
export async function assertUser(em: Em, id: Id, field: string): Promise<void> {
  const user = isId(id) ? await em.findOne(User, { id }, { disableIdentityMap: true }) : null;
  if (user !== null) return;
  const message = 'The tenant has no user with this id.';
  throw new DomainError<'USER_NOT_FOUND'>('USER_NOT_FOUND', message, { field: ['input', field] });
}
