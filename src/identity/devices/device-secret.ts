import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const LINK_ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';
/** 60 random bits: guessing is limited by its lifetime of minutes and by the limit on new devices. */
const LINK_CODE_LENGTH = 12;

/** For a client that did not choose a secret of its own. */
export function newDeviceSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** Plain SHA-256: a secret has at least 32 characters, and a link code lives for minutes. */
export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

export function isSameDigest(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** A code that a person may type. The alphabet has 32 letters, so every letter is equally likely. */
export function newLinkCode(): string {
  const letters = [...randomBytes(LINK_CODE_LENGTH)].map(
    (byte) => LINK_ALPHABET[byte % LINK_ALPHABET.length],
  );
  return letters.join('');
}

/** As a person may have typed it: in small letters, with blanks or hyphens. */
export function linkCodeDigest(tenantId: string, typed: string): string {
  return digestOf(`${tenantId}:${typed.replace(/[\s-]/g, '').toUpperCase()}`);
}
