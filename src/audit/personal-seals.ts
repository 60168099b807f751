import { randomBytes } from 'node:crypto';
import type { Em } from '../platform/database/orm.js';
import type { Id } from '../platform/ids.js';
import { seal, unseal } from '../platform/sealed-bytes.js';
import type { RecordedChanges } from '../platform/recording/change-record.js';

/** Stands for personal data that belong to no one user, or whose user is erased. */
export const PERSONAL = '[personal]';
const ERASED = '[erased]';
const SEALED = /^sealed:(\d{1,20}):([\w-]+)$/;
const SEALED_USERS = /"sealed:(\d{1,20}):/g;
const KEY_BYTES = 32;

const READ_KEY = 'select secret from user_seal where tenant_id = ? and user_id = ?';
const READ_KEYS =
  'select cast(user_id as char) as userId, secret from user_seal where tenant_id = ? and user_id in (?)';
/** Waits for an erasure under way: no key is made for a user who is erased. */
const HOLD_USER = 'select erased_at as erasedAt from user where tenant_id = ? and id = ? lock in share mode';
const MAKE_KEY = 'insert ignore into user_seal (tenant_id, user_id, secret) values (?, ?, ?)';

/** What hides a value in an entry. */
export type Hide = (value: unknown) => string;

/**
 * Personal data in entries are encrypted under a key of the user. An erasure deletes the key: what is left of the data
 * cannot be read by anyone, and neither entries nor their digests have changed.
 */
export async function hiderOf(em: Em, tenantId: string, userId: Id): Promise<Hide> {
  const key = (await readKey(em, tenantId, userId)) ?? (await makeKey(em, tenantId, userId));
  if (key === null) return () => PERSONAL;
  return (value) => `sealed:${userId}:${seal(JSON.stringify(value), key).toString('base64url')}`;
}

/** The user whose data an operation is about; null where it is about none, or several. */
export function userOf({ target, rows }: RecordedChanges): Id | null {
  const ids = new Set(rows.filter(({ table }) => table === 'user').map(({ id }) => id));
  if (target?.type === 'user') ids.add(target.id);
  const [first = null] = ids;
  return ids.size === 1 ? first : null;
}

/** The same texts with the personal data that can still be read. */
export async function shownTexts(em: Em, tenantId: string, texts: readonly string[]): Promise<string[]> {
  const userIds = new Set(texts.flatMap((text) => [...text.matchAll(SEALED_USERS)].map(([, id = '']) => id)));
  if (userIds.size === 0) return [...texts];
  const rows = await em.execute<{ userId: Id; secret: string }[]>(READ_KEYS, [tenantId, [...userIds]]);
  const keys = new Map(rows.map(({ userId, secret }) => [userId, secret]));
  return texts.map((text) => JSON.stringify(JSON.parse(text, (_name, value: unknown) => shown(value, keys))));
}

function shown(value: unknown, keys: ReadonlyMap<Id, string>): unknown {
  const [, userId, sealed] = typeof value === 'string' ? (SEALED.exec(value) ?? []) : [];
  if (userId === undefined || sealed === undefined) return value;
  const key = keys.get(userId);
  const plain = key === undefined ? null : unseal(Buffer.from(sealed, 'base64url'), key);
  return plain === null ? ERASED : (JSON.parse(plain.toString()) as unknown);
}

async function readKey(em: Em, tenantId: string, userId: Id): Promise<string | null> {
  const [row] = await em.execute<{ secret: string }[]>(READ_KEY, [tenantId, userId]);
  return row?.secret ?? null;
}

async function makeKey(em: Em, tenantId: string, userId: Id): Promise<string | null> {
  const [user] = await em.execute<{ erasedAt: Date | null }[]>(HOLD_USER, [tenantId, userId]);
  if (user === undefined || user.erasedAt !== null) return null;
  await em.execute(MAKE_KEY, [tenantId, userId, randomBytes(KEY_BYTES).toString('base64url')]);
  return readKey(em, tenantId, userId);
}
