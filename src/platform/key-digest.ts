import { createHash } from 'node:crypto';
import type { Id } from './ids.js';

const DIGEST = /^sha256:[\w-]{43}$/;

/**
 * What an idempotency key is stored as, in Redis, jobs and rows alike: callers put order numbers and worse into it.
 * Plain SHA-256, because it has to stay the same for ever and is no secret; with tenant and scope, so that equal keys
 * of two users do not look equal. The migrations that digested the older rows make the same text.
 * @param scope the user who redeems; for a row that staff make, its table
 */
export function keyDigest(tenantId: string, scope: string, key: string): string {
  return `sha256:${createHash('sha256').update(`${tenantId}|${scope}|${key}`).digest('base64url')}`;
}

/** The digest of a key as a claim holds it; claims that were made by an older version hold the key itself. */
export function digestOfStoredKey(tenantId: string, userId: Id, stored: string | null): string | null {
  return stored === null || DIGEST.test(stored) ? stored : keyDigest(tenantId, userId, stored);
}
