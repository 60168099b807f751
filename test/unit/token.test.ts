import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { createSigner } from 'fast-jwt';
import { describe, expect, it } from 'vitest';
import type { Actor } from '../../src/graphql/actor.js';
import { TokenError } from '../../src/identity/token.errors.js';
import { TokenService } from '../../src/identity/token.service.js';
import { InvariantError } from '../../src/platform/assert.js';

const SECRET = 'a-secret-of-the-test-with-enough-characters';
const OTHER = 'another-secret-of-the-test-with-enough-characters';
const USER: Actor = { kind: 'USER', tenantId: 'CH_123', userId: '1234567890123456789' };
const STAFF: Actor = { kind: 'STAFF', tenantId: 'CH_123', staffId: 'ops@example', role: 'OPERATOR' };
const NODE: Actor = { kind: 'NODE', tenantId: 'CH_123', nodeId: '1234567890123456789' };
const START_MS = 1_800_000_000_000;
const YEAR_S = 366 * 86_400;

class TurnedClock {
  ms = START_MS;
  nowMs(): number {
    return this.ms;
  }
}

const clock = new TurnedClock();
const tokens = new TokenService([SECRET], clock);

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function partsOf(token: string): { header: Record<string, unknown>; claims: Record<string, unknown> } {
  const [header = '', claims = ''] = token.split('.');
  const read = (text: string) =>
    JSON.parse(Buffer.from(text, 'base64url').toString()) as Record<string, unknown>;
  return { header: read(header), claims: read(claims) };
}

/** Signs by hand, so that a token can be wrong in exactly one way. */
function forge(
  claims: object,
  header: object,
  secret = SECRET,
  hash: 'sha256' | 'sha512' = 'sha256',
): string {
  const input = `${part(header)}.${part(claims)}`;
  return `${input}.${createHmac(hash, secret).update(input).digest('base64url')}`;
}

const good = partsOf(tokens.sign(USER, 900));

function faultOf(token: string, service = tokens): string {
  try {
    return `taken: ${JSON.stringify(service.verify(token))}`;
  } catch (error) {
    if (error instanceof TokenError) return error.fault;
    throw error;
  }
}

describe('TokenService', () => {
  it.each([USER, STAFF])('names the session that it came from: %j', (actor) => {
    const signedIn = { ...actor, sessionId: '1234567890123456780' };
    expect(tokens.verify(tokens.sign(signedIn, 60))).toEqual(signedIn);
  });

  it.each([
    ['no id', USER, 'x'],
    ['a number', USER, 12],
    ['null', STAFF, null],
    ['of a node', NODE, '12'],
  ])('is refused with a session that is %s', (_name, actor, sid) => {
    const { claims } = partsOf(tokens.sign(actor, 60));
    expect(faultOf(forge({ ...claims, sid }, good.header))).toBe('NOT_VALID');
  });

  it.each([USER, STAFF, NODE])('proves its owner: %j', (actor) => {
    expect(tokens.verify(tokens.sign(actor, 60))).toEqual(actor);
  });

  it('names the key, the algorithm and every claim that is checked', () => {
    expect(good.header).toEqual({ alg: 'HS256', typ: 'JWT', kid: good.header['kid'] });
    expect(good.header['kid']).toMatch(/^[\w-]{8}$/);
    expect(good.claims).toEqual({
      iss: 'redeemkit',
      aud: 'redeemkit',
      iat: START_MS / 1000,
      exp: START_MS / 1000 + 900,
      sub: '1234567890123456789',
      tid: 'CH_123',
      kind: 'USER',
    });
  });

  it('accepts a hand-made copy of its own token, so that each forgery below fails for its one fault', () => {
    expect(tokens.verify(forge(good.claims, good.header))).toEqual(USER);
  });

  it('ends at the very second, also for a token that it has verified before', () => {
    const turned = new TurnedClock();
    const service = new TokenService([SECRET], turned);
    const token = service.sign(USER, 60);
    turned.ms = START_MS + 59_999;
    expect(service.verify(token)).toEqual(USER);
    turned.ms = START_MS + 60_000;
    expect(faultOf(token, service)).toBe('EXPIRED');
    expect(faultOf(token, service)).toBe('EXPIRED');
  });

  it.each([
    ['alg none without a signature', `${part({ ...good.header, alg: 'none' })}.${part(good.claims)}.`],
    ['alg none with a signature', forge(good.claims, { ...good.header, alg: 'none' })],
    ['another algorithm', forge(good.claims, { ...good.header, alg: 'HS512' }, SECRET, 'sha512')],
    ['no signature', `${part(good.header)}.${part(good.claims)}.`],
    ['another secret', forge(good.claims, good.header, OTHER)],
    [
      'a kid that is a list of the right one',
      forge(good.claims, { ...good.header, kid: [good.header['kid']] }),
    ],
    ['a kid that is a number', forge(good.claims, { ...good.header, kid: 1 })],
    ['a kid that is null', forge(good.claims, { ...good.header, kid: null })],
    ['no kid', forge(good.claims, { alg: 'HS256', typ: 'JWT' })],
    ['an unknown critical header', forge(good.claims, { ...good.header, crit: ['x'], x: 1 })],
    ['an empty text', ''],
    ['no JWT', 'not.a.token'],
    [
      'a changed payload',
      tokens.sign(USER, 60).replace(/\.[^.]+\./, `.${part({ ...good.claims, tid: 'CH_9' })}.`),
    ],
  ])('refuses %s', (_name, token) => {
    expect(faultOf(token)).toBe('NOT_VALID');
  });

  it.each([
    ['iss', undefined],
    ['iss', 'elsewhere'],
    ['aud', undefined],
    ['aud', 'elsewhere'],
    ['exp', undefined],
    ['exp', '99999999999'],
    ['sub', undefined],
    ['sub', ''],
    ['sub', '0'],
    ['sub', '12 or 1=1'],
    ['sub', '9223372036854775808'],
    ['sub', 12],
    ['tid', undefined],
    ['tid', ''],
    ['tid', 'A'.repeat(25)],
    ['tid', { $ne: null }],
    ['kind', undefined],
    ['kind', 'ADMIN'],
    ['nbf', START_MS],
    ['iat', undefined],
    ['wish', 'BY_MYSELF'],
    ['wish', { toString: 'BY_OPERATOR' }],
  ])('refuses a genuine signature when the claim %s is %j', (claim, value) => {
    expect(faultOf(forge({ ...good.claims, [claim]: value }, good.header))).toBe('NOT_VALID');
  });

  it.each([undefined, 'ROOT', 'constructor'])('refuses staff with the role %j', (role) => {
    const { header, claims } = partsOf(tokens.sign(STAFF, 60));
    expect(faultOf(forge({ ...claims, role }, header))).toBe('NOT_VALID');
  });

  it('takes tokens of the previous secret after a rotation, and signs with the new one', () => {
    const rotated = new TokenService([OTHER, SECRET], clock);
    expect(rotated.verify(tokens.sign(USER, 60))).toEqual(USER);
    expect(faultOf(rotated.sign(USER, 60), tokens)).toBe('KEY_UNKNOWN');
    expect(new TokenService([OTHER], clock).verify(rotated.sign(USER, 60))).toEqual(USER);
  });

  it('takes a genuine token of another JWT library', () => {
    const sign = createSigner({ key: SECRET, algorithm: 'HS256', kid: String(good.header['kid']) });
    expect(tokens.verify(sign({ ...good.claims }))).toEqual(USER);
  });

  it.each(['unknown', '', 'constructor', '__proto__'])('says that the key %j is not in use', (kid) => {
    expect(faultOf(forge(good.claims, { ...good.header, kid }))).toBe('KEY_UNKNOWN');
  });

  it.each([USER, STAFF, NODE])(
    'signs for longer than a quarter of an hour only by the hand of the operator: %j',
    (actor) => {
      for (const ttlS of [0, 1.5, 901, Number.NaN])
        expect(() => tokens.sign(actor, ttlS)).toThrow(InvariantError);
      expect(tokens.verify(tokens.sign(actor, 86_400, 'BY_OPERATOR'))).toEqual(actor);
      expect(() => tokens.sign(actor, YEAR_S + 1, 'BY_OPERATOR')).toThrow(InvariantError);
    },
  );
});

describe('the life of a genuine token', () => {
  const nowS = START_MS / 1000;
  const taken = (life: object): boolean =>
    faultOf(forge({ ...good.claims, ...life }, good.header)) !== 'NOT_VALID';

  it.each([
    ['exp', 1e300],
    ['exp', 2 ** 53 + 2],
    ['exp', nowS + 900.5],
    ['exp', `${nowS + 60}`],
    ['exp', -1],
    ['exp', null],
    ['exp', [nowS + 60]],
    ['exp', nowS + 10 * 365 * 86_400],
    ['exp', nowS + 901],
    ['iat', 0],
    ['iat', -nowS],
    ['iat', 1e300],
    ['iat', nowS + 61],
    ['iat', nowS + 900],
    ['iat', nowS - 1],
    ['iat', `${nowS}`],
    ['nbf', nowS + 61],
    ['nbf', nowS + 900],
    ['nbf', nowS - 0.5],
    ['nbf', null],
  ])('is refused when %s is %j', (claim, value) => {
    expect(taken({ [claim]: value })).toBe(false);
  });

  it('may begin a minute ahead, as clocks are apart', () => {
    expect(taken({ iat: nowS + 60, exp: nowS + 960 })).toBe(true);
    expect(taken({ iat: nowS + 60, exp: nowS + 961 })).toBe(false);
    expect(taken({ nbf: nowS + 60 })).toBe(true);
  });

  it('is a year and a day at most when the operator has asked', () => {
    const wish = 'BY_OPERATOR';
    expect(taken({ wish, exp: nowS + YEAR_S })).toBe(true);
    expect(taken({ wish, exp: nowS + YEAR_S + 1 })).toBe(false);
    expect(taken({ wish, iat: nowS - 1, exp: nowS + YEAR_S })).toBe(false);
  });

  it('never reaches further than its kind allows, whatever the claims are', () => {
    const second = fc.oneof(
      fc.integer({ min: nowS - 2000, max: nowS + 2000 }),
      fc.double(),
      fc.constantFrom(1e300, -1, 0, 2 ** 53, null, 'x'),
    );
    fc.assert(
      fc.property(second, second, (exp, iat) => {
        if (!taken({ exp, iat })) return;
        const [end, start] = [Number(exp), Number(iat)];
        expect(Number.isSafeInteger(end) && Number.isSafeInteger(start)).toBe(true);
        expect(end - start).toBeLessThanOrEqual(900);
        expect(end).toBeLessThanOrEqual(nowS + 960);
      }),
    );
  });
});
