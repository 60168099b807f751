import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  newRefreshToken,
  nextRefreshToken,
  parseRefreshToken,
  refreshTokenText,
} from '../../src/identity/sessions/refresh-token.js';
import { newInvitation, parseInvitation } from '../../src/identity/staff/invitation.js';
import { SecondFactor } from '../../src/identity/staff/second-factor.js';
import { SecretBox } from '../../src/identity/staff/secret-box.js';
import { codeOf } from '../support/staff-world.js';

const OLD = 'the secret before the present one, long';
const NEW = 'the present secret, which is long as well';
const RUNS = { numRuns: 2000, seed: 2026 };

describe('refresh tokens and invitations', () => {
  const token = newRefreshToken('CH_123', '1234567890123456789');

  it('are read as they were written, and the next one differs in its secret only', () => {
    expect(parseRefreshToken(refreshTokenText(token))).toEqual(token);
    const { secret, ...rest } = nextRefreshToken(token);
    expect(secret).not.toBe(token.secret);
    expect({ ...rest, secret: token.secret }).toEqual(token);
    const { token: invitation } = newInvitation('CH_123', '12', 0);
    expect(parseInvitation(invitation)).toMatchObject({ tenantId: 'CH_123', staffId: '12' });
  });

  it('of 2,000 bad texts none is taken for one, and none fails in another way', () => {
    const good = [refreshTokenText(token), newInvitation('CH_123', '12', 0).token];
    const changed = fc
      .tuple(fc.constantFrom(...good), fc.nat(120), fc.string({ minLength: 1, maxLength: 3 }))
      .map(([text, at, insert]) => `${text.slice(0, at)}${insert}${text.slice(at)}`);
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), changed), (text) => {
        const [refresh, invitation] = [parseRefreshToken(text), parseInvitation(text)];
        const read = [
          ...(refresh === null ? [] : [refreshTokenText(refresh)]),
          ...(invitation === null
            ? []
            : [`rki_${invitation.tenantId}.${invitation.staffId}.${invitation.secret}`]),
        ];
        // What has the form is read exactly as it stands; whether it is genuine, the database says.
        expect(read.every((its) => its === text)).toBe(true);
      }),
      RUNS,
    );
  });
});

describe('stored secrets', () => {
  it('open for their owner only, under the present secret and the one before', () => {
    const sealed = new SecretBox([OLD], 'a').seal('plain', '7');
    expect(new SecretBox([NEW, OLD], 'a').open(sealed, '7')).toEqual({ plain: 'plain', isCurrent: false });
    expect(new SecretBox([OLD, NEW], 'a').open(sealed, '7')).toEqual({ plain: 'plain', isCurrent: true });
    expect(new SecretBox([OLD], 'a').open(sealed, '8')).toBeNull();
    expect(new SecretBox([OLD], 'b').open(sealed, '7')).toBeNull();
    expect(new SecretBox([NEW], 'a').open(sealed, '7')).toBeNull();
  });

  it('of 2,000 changed or invented texts none opens', () => {
    const box = new SecretBox([NEW, OLD], 'a');
    const bytes = Buffer.from(box.seal('plain text of some length', '7'), 'base64url');
    const flipped = fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, by]) => {
      const copy = Buffer.from(bytes);
      copy[at] = (copy[at] ?? 0) ^ by;
      return copy.toString('base64url');
    });
    const cut = fc.nat(bytes.length - 1).map((length) => bytes.subarray(0, length).toString('base64url'));
    fc.assert(
      fc.property(fc.oneof(flipped, cut, fc.string()), (text) => {
        expect(box.open(text, '7')).toBeNull();
      }),
      RUNS,
    );
  });

  it('X.21 of second factors are read under both secrets of a rotation, and rewritten under the present one', () => {
    const account = { id: '7', email: 'a@b.example', tenantId: 'CH_1' };
    const [before, during, after] = [[OLD], [NEW, OLD], [NEW]].map(
      (secrets) => new SecondFactor(new SecretBox(secrets, 'staff')),
    ) as [SecondFactor, SecondFactor, SecondFactor];
    const { secret, sealed } = before.begin(account);
    const typed = { id: '7', lastStep: 0, code: codeOf(secret), nowMs: Date.now() };
    expect(during.stepOf(sealed, typed)).not.toBeNull();
    const resealed = during.resealed(sealed, '7') ?? '';
    expect(during.resealed(resealed, '7')).toBeNull();
    expect(after.stepOf(resealed, typed)).not.toBeNull();
    expect(after.stepOf(sealed, typed)).toBeNull();
  });
});
