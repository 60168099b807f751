import { describe, expect, it } from 'vitest';
import { requireActor, requireStaff, requireUser } from '../../src/graphql/auth.js';
import type { RequestContext } from '../../src/graphql/context.js';
import { answer } from '../../src/graphql/payload.js';
import type { Actor } from '../../src/graphql/actor.js';
import { DomainError } from '../../src/platform/errors.js';

const USER: Actor = { kind: 'USER', tenantId: 'T_1', userId: '1' };
const AUDITOR: Actor = { kind: 'STAFF', tenantId: 'T_1', staffId: 's', role: 'AUDITOR' };
const signedIn = (actor: Actor | null) => ({ actor }) as RequestContext;
const refusal = (code: string) => expect.objectContaining({ extensions: { code } }) as Error;

describe('answer', () => {
  it('gives what the work gives, and no errors', async () => {
    expect(await answer(async () => ({ code: 'X' }))).toEqual({ code: 'X', errors: [] });
  });

  it('makes a refusal data, with everything it says', async () => {
    const refused = answer(async () => {
      throw new DomainError('CODE_HELD', 'Held.', { field: ['input', 'code'], retryAfterMs: 5 });
    });
    expect(await refused).toEqual({
      errors: [{ code: 'CODE_HELD', message: 'Held.', field: ['input', 'code'], retryAfterMs: 5 }],
    });
  });

  it('throws a fault on, because a fault is no answer', async () => {
    const fault = new Error('boom');
    await expect(answer(async () => Promise.reject(fault))).rejects.toBe(fault);
  });
});

describe('who may', () => {
  it('lets each kind of caller do what is theirs', () => {
    expect(requireActor(signedIn(USER))).toBe(USER);
    expect(requireUser(signedIn(USER))).toBe(USER);
    expect(requireStaff(signedIn(AUDITOR))).toBe(AUDITOR);
  });

  it('answers UNAUTHENTICATED without a token, and FORBIDDEN to the wrong kind', () => {
    expect(() => requireActor(signedIn(null))).toThrow(refusal('UNAUTHENTICATED'));
    expect(() => requireUser(signedIn(null))).toThrow(refusal('UNAUTHENTICATED'));
    expect(() => requireStaff(signedIn(null))).toThrow(refusal('UNAUTHENTICATED'));
    expect(() => requireUser(signedIn(AUDITOR))).toThrow(refusal('FORBIDDEN'));
    expect(() => requireStaff(signedIn(USER))).toThrow(refusal('FORBIDDEN'));
  });
});
