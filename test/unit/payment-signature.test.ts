import { describe, expect, it } from 'vitest';
import { isSigned, isTimely, paymentKey } from '../../src/orders/orders/payment-signature.js';

const KEY = paymentKey('s'.repeat(40), 'T_1');
const body = Buffer.from('{"a":"ü"}');
const timestamp = '1700000000';
/** As `printf '%s.%s' 1700000000 '{"a":"ü"}' | openssl dgst -sha256 -hmac "$key"` prints it. */
const SIGNATURE = 'b1fcd564e512536f624ef6781ffd20ce2eb127ebd7683bebc1140b5f70b05663';

describe('the signature of a callback', () => {
  it('is that of openssl', () => {
    expect(KEY).toBe('84afeee0aa8a3a56fbe1f480cec71b0b0a3b9a3f93f07d2416eaff550787794d');
    expect(isSigned({ timestamp, signature: SIGNATURE, body }, KEY)).toBe(true);
    expect(isSigned({ timestamp, signature: SIGNATURE.toUpperCase(), body }, KEY)).toBe(true);
  });

  it('is of this body, this timestamp and this tenant', () => {
    const other = paymentKey('s'.repeat(40), 'T_2');
    expect(isSigned({ timestamp, signature: SIGNATURE, body: Buffer.from('{}') }, KEY)).toBe(false);
    expect(isSigned({ timestamp: '1700000001', signature: SIGNATURE, body }, KEY)).toBe(false);
    expect(isSigned({ timestamp, signature: SIGNATURE, body }, other)).toBe(false);
    for (const signature of ['', 'x', SIGNATURE.slice(1), `${SIGNATURE}00`, `0x${SIGNATURE.slice(2)}`])
      expect(isSigned({ timestamp, signature, body }, KEY)).toBe(false);
  });

  it('holds for five minutes, and no longer', () => {
    const at = (nowS: number): boolean => isTimely({ timestamp, signature: '', body }, nowS * 1000);
    expect([1_699_999_700, 1_700_000_300].map(at)).toEqual([true, true]);
    expect([1_699_999_699, 1_700_000_301].map(at)).toEqual([false, false]);
    for (const odd of ['', '1.7e9', '-1', 'now', '1'.repeat(13)])
      expect(isTimely({ timestamp: odd, signature: '', body }, 1_700_000_000_000)).toBe(false);
  });
});
