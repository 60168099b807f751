import {
  LockMode,
  raw,
  type EntityClass,
  type EntityData,
  type FilterQuery,
  type RawQueryFragment,
} from '@mikro-orm/core';
import { DomainError } from '../errors.js';
import { countNumber } from '../input.js';
import type { Em } from './orm.js';

interface Versioned {
  version: number;
}

/** Refusals of every change that takes `expectedVersion`. */
export const VERSION_REFUSALS = ['VERSION_CONFLICT'] as const;

/** The version that a caller has read, so that a change made from an older state is refused; missing takes any. */
export const expectedVersion = countNumber(1).nullish();
export type ExpectedVersion = number | null | undefined;

/**
 * Changes one row and raises its version, under the row's lock: two changes at once are two changes, one after the
 * other, and each is decided by what the other has left.
 *
 * @param decide the new values, or a refusal
 * @returns the row before and after; null where there is none
 * @throws DomainError VERSION_CONFLICT where the row is at another version than the caller has read
 */
export async function changeRow<Row extends Versioned>(
  em: Em,
  entity: EntityClass<Row>,
  where: FilterQuery<Row>,
  expected: ExpectedVersion,
  decide: (row: Row) => EntityData<Row>,
): Promise<{ readonly before: Row; readonly after: Row } | null> {
  const read = async (lockMode: LockMode): Promise<Row | null> =>
    em.findOne(entity, where, { disableIdentityMap: true, lockMode });
  const before = await read(LockMode.PESSIMISTIC_WRITE);
  if (before === null) return null;
  assertVersion(before.version, expected);
  const values = { ...decide(before), version: before.version + 1 };
  await em.nativeUpdate(entity, where, values);
  // What is deleted by a mark is not found any more.
  return { before, after: (await read(LockMode.NONE)) ?? { ...before, ...(values as Partial<Row>) } };
}

/** Raises the version of rows that one UPDATE changes. */
export function nextVersion(): RawQueryFragment {
  return raw<RawQueryFragment>('version + 1');
}

function assertVersion(version: number, expected: ExpectedVersion): void {
  if (expected === null || expected === undefined || expected === version) return;
  const [code] = VERSION_REFUSALS;
  throw new DomainError(
    code,
    `It was changed in the meantime: it is at version ${version} now, and this change was made from version ${expected}. Read it again, then repeat the change.`,
    { field: ['input', 'expectedVersion'] },
  );
}

/** The fields that a caller gave; null means the same as missing where the column takes no null. */
export function givenFields<Input extends object>(
  input: Input,
): { [Key in keyof Input]?: NonNullable<Input[Key]> } {
  const given = Object.entries(input).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(given) as { [Key in keyof Input]?: NonNullable<Input[Key]> };
}
