import { LockMode } from '@mikro-orm/core';
import type { Em } from '../../platform/database/orm.js';
import { DomainError } from '../../platform/errors.js';
import { isId, type Id } from '../../platform/ids.js';
import { User } from './user.entity.js';

/** Why staff cannot give a user anything, in order of precedence. */
export const RECIPIENT_REFUSALS = ['USER_NOT_FOUND', 'USER_DISABLED'] as const;

/**
 * Locks the recipient's row, shared, before any other lock of the gift. Unbinding a user's last device locks the row, too,
 * and disables a user who holds nothing: either it sees the gift, or the gift sees a disabled user.
 * @throws DomainError one of {@link RECIPIENT_REFUSALS}
 */
export async function lockRecipient(em: Em, id: Id): Promise<void> {
  const shared = { lockMode: LockMode.PESSIMISTIC_READ, disableIdentityMap: true } as const;
  const user = isId(id) ? await em.findOne(User, { id }, shared) : null;
  if (user === null) throw refusal('USER_NOT_FOUND', 'The tenant has no user with this id.');
  if (user.status !== 'ACTIVE') throw userDisabled();
}

export function userDisabled(): DomainError {
  return refusal(
    'USER_DISABLED',
    'The user is disabled. Enable the user first, if someone can still sign in.',
  );
}

function refusal(code: (typeof RECIPIENT_REFUSALS)[number], message: string): DomainError {
  return new DomainError(code, message, { field: ['input', 'userId'] });
}
