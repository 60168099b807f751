import type { EntityClass, FilterQuery } from '@mikro-orm/core';
import { DomainError } from '../errors.js';
import { argumentsDigest } from '../input.js';
import { keyDigest } from '../key-digest.js';
import { KeyTakenError } from './insert-new.js';
import type { Em } from './orm.js';

interface Keyed {
  /** As {@link keyDigest} makes it. */
  readonly idempotencyKey: string;
  readonly argumentsDigest: string;
}
interface Unkeyed {
  readonly idempotencyKey: null;
  readonly argumentsDigest: null;
}
/** The key and the arguments of a call, as the row that it makes keeps them; nulls without a key. */
export type CallKey = Keyed | Unkeyed;
export const UNKEYED: Unkeyed = { idempotencyKey: null, argumentsDigest: null };

/** A row that is made once for each key. */
interface KeyedRow {
  argumentsDigest?: string | null | undefined;
}

/** @param wanted parsed input */
export function callKeyOf(
  tenantId: string,
  table: string,
  wanted: { readonly idempotencyKey: string },
): Keyed;
export function callKeyOf(
  tenantId: string,
  table: string,
  wanted: { readonly idempotencyKey: string | null },
): CallKey;
export function callKeyOf(
  tenantId: string,
  table: string,
  wanted: { readonly idempotencyKey: string | null },
): CallKey {
  const { idempotencyKey: key } = wanted;
  if (key === null) return UNKEYED;
  return { idempotencyKey: keyDigest(tenantId, table, key), argumentsDigest: argumentsDigest(wanted) };
}

/** The row that an earlier call with this key made. @throws DomainError IDEMPOTENCY_KEY_REUSED where its arguments were others */
export async function findKeyed<Row extends KeyedRow>(
  em: Em,
  entity: EntityClass<Row>,
  call: CallKey,
): Promise<Row | null> {
  const { idempotencyKey } = call;
  if (idempotencyKey === null) return null;
  const where = { idempotencyKey } as FilterQuery<Row>;
  const row: Row | null = await em.findOne(entity, where, { disableIdentityMap: true });
  if (row === null || row.argumentsDigest === call.argumentsDigest) return row;
  throw new DomainError(
    'IDEMPOTENCY_KEY_REUSED',
    'The idempotency key belongs to a call with other arguments.',
    { field: ['input', 'idempotencyKey'] },
  );
}

/**
 * What a call has made, or an earlier one with the same key. Of two at once, the one that loses meets the row of the
 * other, or what that has just used up.
 */
export async function makeOnce<T>(find: () => Promise<T | null>, make: () => Promise<T>): Promise<T> {
  const known = await find();
  if (known !== null) return known;
  try {
    return await make();
  } catch (error) {
    const isLost = error instanceof KeyTakenError || error instanceof DomainError;
    const winner = isLost ? await find() : null;
    if (winner === null) throw error;
    return winner;
  }
}
