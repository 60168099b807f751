import type { EntityClass, RequiredEntityData } from '@mikro-orm/core';
import type { Em } from './orm.js';
import { isDuplicateKey } from './sql-errors.js';

/** The idempotency key of a row belongs to one that another call has just committed. */
export class KeyTakenError extends Error {}

/**
 * Inserts one row at once: a unit of work would write it again, or at a moment of its own.
 * @param taken the error where a unique key has such a row already
 */
export async function insertNew<Row extends object>(
  em: Em,
  entity: EntityClass<Row>,
  values: RequiredEntityData<Row>,
  taken = (cause: unknown): Error => new KeyTakenError('Taken.', { cause }),
): Promise<Row> {
  const row = em.create(entity, values, { persist: false });
  try {
    await em.insert(row);
  } catch (error) {
    throw isDuplicateKey(error) ? taken(error) : error;
  }
  return row;
}
