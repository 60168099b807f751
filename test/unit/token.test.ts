import { createHmac } from 'node:crypto';
import { createSigner } from 'fast-jwt';
import { describe, expect, it } from 'vitest';
import type { Actor } from '../../src/identity/actor.js';
import { TokenError } from '../../src/identity/token.errors.js';
import { TokenService } from '../../src/identity/token.service.js';
import { InvariantError } from '../../src/platform/assert.js';

const SECRET = 'a-secret-of-the-test-with-enough-characters';
const OTHER = 'another-secret-of-the-test-with-enough-characters';
const USER: Actor = { kind: 'USER', tenantId: 'CH_123', userId: '1234567890123456789' };
const STAFF: Actor = { kind: 'STAFF', tenantId: 'CH_123', staffId: 'ops@example', role: 'OPERATOR' };
const START_MS = 1_800_000_000_000;

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
  it.each([USER, STAFF])('proves whom it was signed for: %j', (actor) => {
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

  it('takes the hand-made copy of its own token, so that the forgeries below fail for their one fault', () => {
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
    ['an unknown kid', forge(good.claims, { ...good.header, kid: 'unknown' })],
    ['no kid', forge(good.claims, { alg: 'HS256', typ: 'JWT' })],
    ['a critical header that nobody knows', forge(good.claims, { ...good.header, crit: ['x'], x: 1 })],
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
    expect(faultOf(rotated.sign(USER, 60), tokens)).toBe('NOT_VALID');
    expect(new TokenService([OTHER], clock).verify(rotated.sign(USER, 60))).toEqual(USER);
  });

  it('takes a genuine token of another JWT library', () => {
    const sign = createSigner({ key: SECRET, algorithm: 'HS256', kid: String(good.header['kid']) });
    expect(tokens.verify(sign({ ...good.claims }))).toEqual(USER);
  });

  it("signs no user's token for longer than a quarter of an hour, unless the operator asks by hand", () => {
    expect(() => tokens.sign(USER, 901)).toThrow(InvariantError);
    expect(() => tokens.sign(USER, 0)).toThrow(InvariantError);
    expect(tokens.verify(tokens.sign(USER, 86_400, 'BY_OPERATOR'))).toEqual(USER);
  });
});
