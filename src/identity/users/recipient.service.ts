import { LockMode } from '@mikro-orm/core';
import type { Em } from '../../platform/database/orm.js';
import { DomainError } from '../../platform/errors.js';
import { isId, type Id } from '../../platform/ids.js';
import { User } from './user.entity.js';

/** Why staff give a user nothing, in order of precedence. */
export const RECIPIENT_REFUSALS = ['USER_NOT_FOUND', 'USER_DISABLED'] as const;

/**
 * Locks the user who is to be given something, before anything else of the gift. Unbinding the last device of a user
 * disables a user who holds nothing: behind this lock it finds the gift, or the gift finds the user disabled.
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
