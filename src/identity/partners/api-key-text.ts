import { createHash, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

const PREFIX = 'rk_live_';
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 178 random bits. */
const RANDOM_LENGTH = 30;
/** 62^6 is more than 2^32. */
const CHECK_LENGTH = 6;
const KEY = new RegExp(String.raw`^(${PREFIX}[0-9A-Za-z]{${RANDOM_LENGTH}})([0-9A-Za-z]{${CHECK_LENGTH}})$`);

/** A new key: `rk_live_`, 30 random characters, and a check sum by which secret scanners recognize it. */
export function newApiKey(): string {
  const random = Array.from({ length: RANDOM_LENGTH }, () => BASE62[randomInt(BASE62.length)]).join('');
  return PREFIX + random + checkSumOf(PREFIX + random);
}

/** Whether a text can be a key; a wrong check sum is found without a read of the database. */
export function isApiKey(text: string): boolean {
  const [, body, checkSum] = KEY.exec(text) ?? [];
  return body !== undefined && checkSumOf(body) === checkSum;
}

/** What a key is stored and looked up by. Plain SHA-256, because no key can be guessed from it. */
export function apiKeyDigest(key: string): string {
  return createHash('sha256').update(key).digest('base64url');
}

function checkSumOf(body: string): string {
  let rest = crc32(body);
  let digits = '';
  for (let place = 0; place < CHECK_LENGTH; place += 1) {
    digits = `${BASE62[rest % BASE62.length]}${digits}`;
    rest = Math.floor(rest / BASE62.length);
  }
  return digits;
}
