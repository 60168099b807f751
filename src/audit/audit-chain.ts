import { createHash } from 'node:crypto';
import type { AuditEntry } from './audit-entry.entity.js';

/** Everything of an entry but its own digest. */
export type UnsignedEntry = Omit<AuditEntry, 'digest' | typeof Symbol.iterator>;

/** Stands before the first entry of a chain. */
export const NO_PREVIOUS = '';

/** Names the form of the text that is digested: another form of later versions begins with another number. */
const FORM = 1;

/**
 * The digest of an entry: SHA-256 over a JSON list of its columns in one order, with the digest of the entry before.
 * Whoever changes a row has to change all rows behind it, the head, and every anchor.
 */
export function digestOf(entry: UnsignedEntry): string {
  const text = JSON.stringify([
    FORM,
    entry.tenantId,
    entry.id,
    entry.createdAt.toISOString(),
    entry.operation,
    entry.actorKind,
    entry.actorId,
    entry.actorRole ?? null,
    entry.credentialId ?? null,
    entry.ip ?? null,
    entry.requestId ?? null,
    entry.targetType,
    entry.targetId,
    entry.details,
    entry.previous,
  ]);
  return createHash('sha256').update(text).digest('base64url');
}
