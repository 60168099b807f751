import { readFileSync } from 'node:fs';
import { assert, property, string, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorOf } from '../../sdk/src/errors.js';
import { PendingRedemptions } from '../../sdk/src/pending.js';
import { randomKey } from '../../sdk/src/platform.js';
import { Deadline, pauseMs } from '../../sdk/src/retry.js';
import { base64Of, base64UrlOf, bytesOf, bytesOfBase64, textOf } from '../../sdk/src/text.js';
import { subjectOf } from '../../sdk/src/tokens.js';
import { MapStore } from '../support/sdk-store.js';

describe('texts of the SDK, for platforms without encoders', () => {
  it('are UTF-8 and base64 as Node has them', () => {
    const bytes = uint8Array({ maxLength: 40 });
    assert(
      property(bytes, string({ unit: 'grapheme' }), (binary, text) => {
        const buffer = Buffer.from(binary);
        expect(base64Of(binary)).toBe(buffer.toString('base64'));
        expect(base64UrlOf(binary)).toBe(buffer.toString('base64url'));
        expect(Buffer.from(bytesOfBase64(buffer.toString('base64')))).toEqual(buffer);
        expect(Buffer.from(bytesOfBase64(buffer.toString('base64url')))).toEqual(buffer);
        expect(Buffer.from(bytesOf(text))).toEqual(Buffer.from(text));
        expect(textOf(bytesOf(text))).toBe(text);
      }),
    );
  });

  it('refuse bytes that are no UTF-8', () => {
    expect(() => textOf(Uint8Array.of(0xff))).toThrow(URIError);
  });

  it('make keys that the server takes, each once', () => {
    const keys = Array.from({ length: 1000 }, () => randomKey());
    expect(new Set(keys).size).toBe(1000);
    for (const key of keys)
      expect(key).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  });
});

describe('the pauses of the SDK', () => {
  const retry = { firstPauseMs: 100, maxPauseMs: 1000, deadlineMs: 30_000 };

  it('double up to the longest, and leave half to chance', () => {
    for (const [before, longest] of [100, 200, 400, 800, 1000, 1000].entries()) {
      const pauses = Array.from({ length: 200 }, () => pauseMs(retry, before));
      expect(Math.min(...pauses)).toBeGreaterThanOrEqual(longest / 2);
      expect(Math.max(...pauses)).toBeLessThanOrEqual(longest);
      expect(new Set(pauses).size).toBeGreaterThan(100);
    }
  });

  it('end at once where the server asks for more than is left', async () => {
    const deadline = new Deadline(retry, undefined);
    const beganMs = performance.now();
    expect(await deadline.pause(3_600_000)).toBe(false);
    expect(performance.now() - beganMs).toBeLessThan(retry.deadlineMs);
  });
});

describe('the note of a redemption that is under way', () => {
  it('has one key for all spellings of a code, for each user another, and a new one once it is settled', async () => {
    const pending = new PendingRedemptions(undefined);
    const first = await pending.begin('abcd-efgh', 'alice', undefined);
    expect(await pending.begin(' ABCD EFGH. ', 'alice', undefined)).toBe(first);
    const other = await pending.begin('abcd-efgh', 'bob', undefined);
    expect(other.idempotencyKey).not.toBe(first.idempotencyKey);
    await pending.settle(first);
    const next = await pending.begin('abcd-efgh', 'alice', undefined);
    expect(next.idempotencyKey).not.toBe(first.idempotencyKey);
    expect(await pending.of('bob')).toEqual([other]);
  });

  it('takes a key of its caller, also after one of its own', async () => {
    const pending = new PendingRedemptions(new MapStore());
    await pending.begin('CODE', 'alice', undefined);
    expect(await pending.begin('CODE', 'alice', 'own')).toMatchObject({ idempotencyKey: 'own' });
    expect(await pending.begin('CODE', 'alice', undefined)).toMatchObject({ idempotencyKey: 'own' });
  });

  it('is not taken up a day later, nor from what is no note', async () => {
    const store = new MapStore();
    const old = { code: 'OLD', idempotencyKey: 'k', subject: 'alice', beganMs: Date.now() - 86_400_001 };
    for (const text of [JSON.stringify([old, null, 5, { code: 'x' }]), '{}', 'no JSON', '[]']) {
      store.setItem('redeemkit.pending', text);
      expect(await new PendingRedemptions(store).of('alice')).toEqual([]);
    }
  });

  it('stands in memory where the store is full or forbidden', async () => {
    const refuse = (): never => {
      throw new Error('QuotaExceededError');
    };
    const pending = new PendingRedemptions({ getItem: refuse, setItem: refuse, removeItem: refuse });
    const entry = await pending.begin('CODE', 'alice', undefined);
    expect(await pending.of('alice')).toEqual([entry]);
    await pending.settle(entry);
    expect(await pending.of('alice')).toEqual([]);
  });

  it('belongs to the user of the token, whichever token it is', () => {
    const tokenOf = (claims: object): string =>
      `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;
    const alice = { iss: 'redeemkit', tid: 'CH_1', sub: '7' };
    expect(subjectOf(tokenOf({ ...alice, exp: 1 }))).toBe(subjectOf(tokenOf({ ...alice, exp: 2 })));
    expect(subjectOf(tokenOf(alice))).not.toBe(subjectOf(tokenOf({ ...alice, tid: 'CH_2' })));
    expect(subjectOf('opaque')).toBe(subjectOf(null));
  });
});

describe('the errors of the SDK', () => {
  it('are of the classes that the table of its README names', () => {
    const readme = readFileSync('sdk/README.md', 'utf8');
    const rows = [...readme.matchAll(/^\| `(\w+Error)` \|[^|]*\|([^|]*)\|/gm)];
    const listed = rows.flatMap(([, name = '', codes = '']) =>
      [...codes.matchAll(/`([A-Z_\d]+)`/g)].map(([, code = '']) => [code, name]),
    );
    expect(listed.length).toBeGreaterThan(20);
    // Those that the SDK makes itself are shown by the tests of what makes them.
    const own = /^(?:NETWORK_FAILED|TIMED_OUT|NO_ANSWER|OUTCOME_UNKNOWN|REPLY_.*|HTTP_.*|SOCKET_.*)$/;
    for (const [code = '', name] of listed.filter(([each = '']) => !own.test(each)))
      expect([code, errorOf({ message: '', extensions: { code } }).name]).toEqual([code, name]);
  });

  it('are named for each transport error of the server', () => {
    const table = readFileSync('docs/errors.md', 'utf8').split('## WebSocket close codes')[0] ?? '';
    const codes = [...table.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code = '']) => code);
    const readme = readFileSync('sdk/README.md', 'utf8');
    expect(codes.filter((code) => !readme.includes(`\`${code}\``))).toEqual([]);
  });
});
