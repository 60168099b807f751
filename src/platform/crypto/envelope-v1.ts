import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';

const CIPHER = 'aes-256-cbc';
const BLOCK_BYTES = 16;

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
const keyOf = (secret: string): Buffer => sha256(secret);
/** @param time what the sender calls its time; two messages of one time have the same vector */
const vectorOf = (time: string, secret: string): Buffer =>
  sha256(createHash('md5').update(time).digest('hex') + secret).subarray(0, BLOCK_BYTES);

/** AES-256-CBC with PKCS7, as clients of the old form speak it. @returns base64 */
export function sealV1(plain: string | Uint8Array, secret: string, time: string): string {
  const cipher = createCipheriv(CIPHER, keyOf(secret), vectorOf(time, secret));
  const body = typeof plain === 'string' ? cipher.update(plain, 'utf8') : cipher.update(plain);
  return Buffer.concat([body, cipher.final()]).toString('base64');
}

/**
 * The padding is judged here without an early end, and a wrong one gives bytes as a right one does: so neither an
 * answer nor its time tells which of two wrong messages was padded well.
 * @returns the bytes, and whether they are whole; null where the length alone tells that they are not
 */
export function openV1(
  data: string,
  secret: string,
  time: string,
): { readonly plain: Buffer; readonly isWhole: boolean } | null {
  const bytes = Buffer.from(data, 'base64');
  if (bytes.length === 0 || bytes.length % BLOCK_BYTES !== 0) return null;
  const decipher = createDecipheriv(CIPHER, keyOf(secret), vectorOf(time, secret)).setAutoPadding(false);
  const padded = Buffer.concat([decipher.update(bytes), decipher.final()]);
  const length = padded.at(-1) ?? 0;
  let faults = Number(length === 0) | Number(length > BLOCK_BYTES);
  for (let back = 1; back <= BLOCK_BYTES; back += 1) {
    const isPadding = Number(back <= length);
    faults |= isPadding & Number(padded.at(-back) !== length);
  }
  const isWhole = faults === 0;
  return { plain: padded.subarray(0, padded.length - (isWhole ? length : 0)), isWhole };
}
