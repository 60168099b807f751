import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Keeps the key apart from every other one that is made of the same secret, as that of v1. */
const KEY_PURPOSE = 'redeemkit-envelope-v2';

/** 12 bytes in base64url: each nonce has one spelling only. */
export const NONCE_TEXT = /^[\w-]{16}$/;

/** HKDF-SHA-256 of the secret, without salt. */
export function keyOfSecret(secret: string): KeyObject {
  const key = hkdfSync('sha256', secret, new Uint8Array(), KEY_PURPOSE, KEY_BYTES);
  return createSecretKey(new Uint8Array(key));
}

export function newNonce(): string {
  return randomBytes(NONCE_BYTES).toString('base64url');
}

/**
 * AES-256-GCM.
 * @param bound what the receiver has to know as well: with anything else it does not open
 * @returns ciphertext and tag as base64
 */
export function sealV2(plain: string | Uint8Array, key: KeyObject, nonce: string, bound: string): string {
  const cipher = createCipheriv(CIPHER, key, Buffer.from(nonce, 'base64url'));
  cipher.setAAD(Buffer.from(bound));
  const body = typeof plain === 'string' ? cipher.update(plain, 'utf8') : cipher.update(plain);
  return Buffer.concat([body, cipher.final(), cipher.getAuthTag()]).toString('base64');
}

/** @returns null where key, nonce, ciphertext or what is bound are not those of the sender */
export function openV2(data: string, key: KeyObject, nonce: string, bound: string): Buffer | null {
  const bytes = Buffer.from(data, 'base64');
  if (bytes.length < TAG_BYTES) return null;
  const decipher = createDecipheriv(CIPHER, key, Buffer.from(nonce, 'base64url'));
  decipher.setAAD(Buffer.from(bound));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  const plain = decipher.update(bytes.subarray(0, -TAG_BYTES));
  try {
    decipher.final();
    return plain;
  } catch {
    return null;
  }
}
