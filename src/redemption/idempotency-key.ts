import { createHash } from 'node:crypto';
import type { Id } from '../platform/ids.js';

const DIGEST = /^sha256:[\w-]{43}$/;

/**
 * What an idempotency key is stored as, in Redis, jobs and rows alike: callers put order numbers and worse into it.
 * Plain SHA-256, because it has to stay the same for ever and is no secret; with tenant and user, so that equal keys
 * of two users cannot be told to be equal. The migration that digested the older rows makes the same text.
 */
export function keyDigest(tenantId: string, userId: Id, key: string): string {
  return `sha256:${createHash('sha256').update(`${tenantId}|${userId}|${key}`).digest('base64url')}`;
}

/** The digest of a key as a claim holds it; claims that were made by an older version hold the key itself. */
export function digestOfStoredKey(tenantId: string, userId: Id, stored: string | null): string | null {
  return stored === null || DIGEST.test(stored) ? stored : keyDigest(tenantId, userId, stored);
}
