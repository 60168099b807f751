import { createCipheriv, createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openV1, sealV1 } from '../../src/platform/crypto/envelope-v1.js';
import { keyOfSecret, newNonce, NONCE_TEXT, openV2, sealV2 } from '../../src/platform/crypto/envelope-v2.js';

const text = fc.string({ unit: 'binary', maxLength: 300 });

describe('v1', () => {
  const SECRET = '123456';
  const TIME = '18a2b3c4d5e6f708';
  const PLAIN = '{"code":"ABCDEFGH23456789"}';
  const DATA = 'jtbSzwkjUw6QGpPwe6dFdbCm7lop9UixJigK0Pqhto0=';

  it('S1.8: matches the vector of the specification in both directions', () => {
    expect(sealV1(PLAIN, SECRET, TIME)).toBe(DATA);
    const opened = openV1(DATA, SECRET, TIME);
    expect([opened?.plain.toString(), opened?.isWhole]).toEqual([PLAIN, true]);
  });

  it('opens what it has sealed, of any length', () => {
    fc.assert(
      fc.property(text, text, text, (plain, secret, time) => {
        const opened = openV1(sealV1(plain, secret, time), secret, time);
        expect([opened?.plain.equals(Buffer.from(plain)), opened?.isWhole]).toEqual([true, true]);
      }),
    );
  });

  it.each([
    ['no bytes', ''],
    ['a part of a block', Buffer.alloc(15).toString('base64')],
    ['a block and a part', Buffer.alloc(17).toString('base64')],
  ])('is null for %s', (_name, data) => {
    expect(openV1(data, SECRET, TIME)).toBeNull();
  });

  it('finds every wrong padding, and no right one wrong', () => {
    const key = createHash('sha256').update(SECRET).digest();
    const md5 = createHash('md5').update(TIME).digest('hex');
    const vector = createHash('sha256')
      .update(md5 + SECRET)
      .digest()
      .subarray(0, 16);
    for (let last = 0; last < 256; last += 1)
      for (const wrongAt of [null, 1, 2, 15]) {
        const block = Buffer.alloc(32, 0x41);
        const length = Math.min(last, 16);
        block.fill(last, 32 - length);
        block[31] = last;
        if (wrongAt !== null && wrongAt < length) block[31 - wrongAt] = 0x41;
        const cipher = createCipheriv('aes-256-cbc', key, vector).setAutoPadding(false);
        const data = Buffer.concat([cipher.update(block), cipher.final()]).toString('base64');
        const isRight = last >= 1 && last <= 16 && (wrongAt === null || wrongAt >= length);
        const opened = openV1(data, SECRET, TIME);
        expect([last, wrongAt, opened?.isWhole, opened?.plain.length]).toEqual([
          last,
          wrongAt,
          isRight,
          isRight ? 32 - last : 32,
        ]);
      }
  });
});

describe('v2', () => {
  const key = keyOfSecret('a secret');

  it('S1.8: opens what it has sealed, with the same key, nonce and context only', () => {
    fc.assert(
      fc.property(text, text, (plain, bound) => {
        const nonce = newNonce();
        const data = sealV2(plain, key, nonce, bound);
        expect(openV2(data, key, nonce, bound)?.equals(Buffer.from(plain))).toBe(true);
        expect(openV2(data, keyOfSecret('another'), nonce, bound)).toBeNull();
        expect(openV2(data, key, newNonce(), bound)).toBeNull();
        expect(openV2(data, key, nonce, `${bound}x`)).toBeNull();
      }),
    );
  });

  it('does not open after any bit was changed', () => {
    const nonce = newNonce();
    const bytes = Buffer.from(sealV2('{"code":"A"}', key, nonce, 'b'), 'base64');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(openV2(changed.toString('base64'), key, nonce, 'b')).toBeNull();
    }
    for (let length = 0; length < bytes.length; length += 1)
      expect(openV2(bytes.subarray(0, length).toString('base64'), key, nonce, 'b')).toBeNull();
  });

  it('makes nonces of 12 bytes that do not repeat, in one spelling', () => {
    const nonces = Array.from({ length: 1000 }, newNonce);
    expect(new Set(nonces).size).toBe(1000);
    for (const nonce of nonces) expect([nonce, NONCE_TEXT.test(nonce)]).toEqual([nonce, true]);
  });
});
