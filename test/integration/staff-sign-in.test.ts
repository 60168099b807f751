import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { PasswordHasher } from '../../src/identity/staff/password-hasher.js';
import { DomainError } from '../../src/platform/errors.js';
import { codeOf, counted, PASSWORD, refusedBy, seedStaff } from '../support/staff-world.js';
import { emOf, openWorld, seedTenant, type World } from '../support/world.js';
import { withinOne } from '../support/periods.js';

const [FREE, FREE_OF_ADDRESS] = [4, 6];

let world: World;
let other: World;
let tenantId: string;

beforeAll(async () => {
  const environment = {
    SIGN_IN_ACCOUNT_FAILURES: String(FREE),
    SIGN_IN_ADDRESS_FAILURES: String(FREE_OF_ADDRESS),
  };
  [world, other] = await Promise.all([openWorld(environment), openWorld(environment)]);
  ({ tenantId } = await seedTenant(world));
});
afterAll(async () => Promise.all([world?.close(), other?.close()]));
afterEach(() => vi.restoreAllMocks());

interface Try {
  readonly password?: string;
  readonly totpCode?: string | null;
  readonly ip?: string;
  readonly tenant?: string | null;
  readonly by?: World;
}

const signIn = async (
  email: string,
  { password = PASSWORD, totpCode, ip = '', tenant, by = world }: Try = {},
) =>
  by.services.staffSignIns.signIn({
    tenantId: tenant === undefined ? tenantId : tenant,
    email,
    password,
    totpCode,
    ip,
  });

/** With a second factor, and its secret. */
async function seedWithSecondFactor() {
  await withinOne(30_000, 5000);
  const member = await seedStaff(world, tenantId, 'OPERATOR');
  const call = await callOf(member.email);
  const { secret } = await world.services.ownAccounts.enrol(call, PASSWORD);
  const { recoveryCodes } = await world.services.ownAccounts.confirm(call, codeOf(secret, -1));
  return { ...member, secret, call, recoveryCodes };
}

async function callOf(email: string) {
  const { accessToken } = await signIn(email);
  const actor = world.services.tokens.verify(accessToken);
  if (actor.kind !== 'STAFF') throw new Error('No member of staff.');
  return { actor, ip: '' };
}

describe('a sign-in', () => {
  it('opens a session of its own, by an address in any case, for at most a quarter of an hour', async () => {
    const { staffId, email } = await seedStaff(world, tenantId, 'AUDITOR');
    const one = await signIn(` ${email.toUpperCase()} `);
    const two = await signIn(email);
    const actors = [one, two].map(({ accessToken }) => world.services.tokens.verify(accessToken));
    expect(actors).toMatchObject([
      { kind: 'STAFF', tenantId, staffId, role: 'AUDITOR' },
      { kind: 'STAFF', tenantId, staffId, role: 'AUDITOR' },
    ]);
    expect(actors[0]).not.toEqual(actors[1]);
    expect(one.expiresAt.getTime()).toBeLessThanOrEqual(world.services.clock.nowMs() + 900_000);
    await world.services.staffSignIns.signOut(actors[0] as never, false);
    const { access } = world.services;
    expect(await access.refusalOf(actors[0] as never)).toBe('SESSION_ENDED');
    expect(await access.refusalOf(actors[1] as never)).toBeNull();
    await world.services.staffSignIns.signOut(actors[1] as never, true);
    expect(await access.refusalOf(actors[1] as never)).toBe('SESSION_ENDED');
  });

  it('answers the same, with the same work, whatever is wrong: no account, no tenant, invited, disabled, password', async () => {
    const { email } = await seedStaff(world, tenantId);
    const disabled = await seedStaff(world, tenantId, 'OPERATOR');
    await world.services.staffChanges.update(tenantId, disabled.staffId, { status: 'DISABLED' });
    const invited = { email: 'invited-only@example.com', name: 'N', role: 'OPERATOR' };
    await world.services.staff.invite(tenantId, invited);
    const { tenantId: off } = await seedTenant(world);
    const offMember = await seedStaff(world, off);
    await world.services.tenantChanges.update(off, { status: 'DISABLED' });
    const derived = vi.spyOn(PasswordHasher.prototype as never, 'derived');
    const tries: Promise<unknown>[] = [
      signIn(email, { password: 'wrong wrong wrong' }),
      signIn('unknown@example.com'),
      signIn('no address at all'),
      signIn(invited.email),
      signIn(disabled.email),
      signIn(email, { tenant: 'NO_SUCH_TENANT' }),
      signIn(offMember.email, { tenant: off }),
      signIn(email, { password: 'p'.repeat(5000) }),
    ];
    const answers = await Promise.allSettled(tries);
    const shown = answers.map((each) => {
      const reason: unknown = each.status === 'rejected' ? each.reason : null;
      if (!(reason instanceof DomainError)) throw new Error('It was not refused.');
      return JSON.stringify([reason.code, reason.message, reason.details]);
    });
    expect(shown[0]).toContain('SIGN_IN_REFUSED');
    expect(new Set(shown).size).toBe(1);
    expect(derived).toHaveBeenCalledTimes(tries.length);
  });

  it('needs a tenant', async () => {
    for (const tenant of [null, '', 'a b', 'lower'])
      expect(await refusedBy(signIn('a@b.example', { tenant }))).toBe('TENANT_REQUIRED');
  });

  it('is refused after wrong passwords for a time that grows, with the right one, too; and equally without an account', async () => {
    const { email } = await seedStaff(world, tenantId);
    for (const account of [email, 'nobody-there@example.com']) {
      const tries = [];
      for (let at = 0; at < FREE + 1; at += 1)
        tries.push(await refusedBy(signIn(account, { password: `wrong wrong ${at}` })));
      expect(counted(tries)).toEqual({ SIGN_IN_REFUSED: FREE + 1 });
      const waits: number[] = [];
      for (let round = 0; round < 3; round += 1) {
        const refused: unknown = await signIn(account).catch((error: unknown) => error);
        expect(refused).toMatchObject({ code: 'TOO_MANY_ATTEMPTS' });
        waits.push((refused as DomainError).details.retryAfterMs ?? 0);
        await waited(account);
        expect(await refusedBy(signIn(account, { password: 'wrong wrong wrong' }))).toBe('SIGN_IN_REFUSED');
      }
      expect(waits).toEqual(waits.toSorted((a, b) => a - b));
      expect(waits[0]).toBeGreaterThan(1000);
      expect(waits[2]).toBeGreaterThan((waits[0] ?? 0) * 3);
      await waited(account);
    }
    expect(await refusedBy(signIn(email))).toBe('TAKEN');
    expect(await refusedBy(signIn(email, { password: 'wrong wrong wrong' }))).toBe('SIGN_IN_REFUSED');
    expect(await refusedBy(signIn(email))).toBe('TAKEN');
  });

  it('that is tried from 40 sides at once at two processes is judged as often as is free, and once more', async () => {
    const { email } = await seedStaff(world, tenantId);
    const sides = Array.from({ length: 40 }, async (_, side) =>
      refusedBy(signIn(email, { password: `wrong wrong ${side}`, by: side % 2 ? other : world })),
    );
    expect(counted(await Promise.all(sides))).toEqual({
      SIGN_IN_REFUSED: FREE + 1,
      TOO_MANY_ATTEMPTS: 40 - FREE - 1,
    });
  });

  it('counts for its address whichever account is tried, and a success is given back', async () => {
    const [ip, elsewhere] = ['192.0.2.77', '192.0.2.78'];
    const { email } = await seedStaff(world, tenantId);
    for (let at = 0; at < FREE_OF_ADDRESS + 2; at += 1)
      expect(await refusedBy(signIn(email, { ip }))).toBe('TAKEN');
    for (let at = 0; at <= FREE_OF_ADDRESS; at += 1)
      expect(await refusedBy(signIn(`spray-${at}@example.com`, { ip }))).toBe('SIGN_IN_REFUSED');
    expect(await refusedBy(signIn(email, { ip }))).toBe('TOO_MANY_ATTEMPTS');
    expect(await refusedBy(signIn(email, { ip: elsewhere }))).toBe('TAKEN');
  });

  it('of an account that has to wait costs its address nothing: a locked account does not lock out an office', async () => {
    const ip = '192.0.2.91';
    const [locked, colleague] = [await seedStaff(world, tenantId), await seedStaff(world, tenantId)];
    for (let at = 0; at <= FREE; at += 1)
      expect(await refusedBy(signIn(locked.email, { password: 'wrong wrong wrong' }))).toBe(
        'SIGN_IN_REFUSED',
      );
    for (let at = 0; at < 2 * FREE_OF_ADDRESS; at += 1)
      expect(await refusedBy(signIn(locked.email, { ip }))).toBe('TOO_MANY_ATTEMPTS');
    expect(await refusedBy(signIn(colleague.email, { ip }))).toBe('TAKEN');
  });

  it('that was not judged, because too many waited, is counted neither for its account nor for its address', async () => {
    const ip = '192.0.2.92';
    const { email } = await seedStaff(world, tenantId);
    const call = await callOf(email);
    const busy = vi.spyOn(PasswordHasher.prototype, 'verify');
    busy.mockImplementation(async () => Promise.reject(new DomainError('BUSY', 'Too many.')));
    for (let at = 0; at < 2 * FREE_OF_ADDRESS; at += 1)
      expect(await refusedBy(signIn(email, { ip }))).toBe('BUSY');
    const own = world.services.ownAccounts;
    for (let at = 0; at < 2 * FREE_OF_ADDRESS; at += 1)
      expect(await refusedBy(own.changePassword({ ...call, ip }, PASSWORD, 'a new long password'))).toBe(
        'BUSY',
      );
    busy.mockRestore();
    for (let at = 0; at <= FREE; at += 1)
      expect(await refusedBy(signIn(email, { ip, password: 'wrong wrong wrong' }))).toBe('SIGN_IN_REFUSED');
    expect(await refusedBy(signIn(email, { ip }))).toBe('TOO_MANY_ATTEMPTS');
  });

  it('in two steps, and an accepted invitation, cost their address nothing', async () => {
    const ip = '192.0.2.90';
    const { email } = await seedWithSecondFactor();
    const { staff } = world.services;
    for (let at = 0; at <= FREE_OF_ADDRESS + 1; at += 1) {
      expect(await refusedBy(signIn(email, { ip }))).toBe('TOTP_REQUIRED');
      await forgetAccount(email);
      const invited = { email: `office-${at}@example.com`, name: 'N', role: 'AUDITOR' };
      const { invitationToken } = await staff.invite(tenantId, invited);
      expect(await refusedBy(staff.accept(invitationToken, PASSWORD, ip))).toBe('TAKEN');
    }
  });

  it('whose password is right is counted for its account until the code is right, too', async () => {
    const { email } = await seedWithSecondFactor();
    for (let at = 0; at <= FREE; at += 1) expect(await refusedBy(signIn(email))).toBe('TOTP_REQUIRED');
    expect(await refusedBy(signIn(email))).toBe('TOO_MANY_ATTEMPTS');
  });
});

function accountKey(email: string): string {
  const digest = createHash('sha256').update(email).digest('base64url').slice(0, 22);
  return `{${tenantId}}:guesses:${digest}`;
}

async function forgetAccount(email: string): Promise<void> {
  expect(await world.stores.redis.del(accountKey(email))).toBe(1);
}

/** As if the wait of an account were over. */
async function waited(email: string): Promise<void> {
  const { redis } = world.stores;
  const key = accountKey(email);
  expect(Number(await redis.hget(key, 'level'))).toBeGreaterThan(FREE);
  await redis.hset(key, 'until_ms', 0);
}

describe('a second factor', () => {
  it('is asked for once it was confirmed, and each code is taken once', async () => {
    const { email, secret } = await seedWithSecondFactor();
    expect(await refusedBy(signIn(email))).toBe('TOTP_REQUIRED');
    const totpCode = codeOf(secret);
    expect(await refusedBy(signIn(email, { totpCode }))).toBe('TAKEN');
    expect(await refusedBy(signIn(email, { totpCode }))).toBe('SIGN_IN_REFUSED');
    // The confirmation took the step before: older steps are over with it.
    expect(await refusedBy(signIn(email, { totpCode: codeOf(secret, -1) }))).toBe('SIGN_IN_REFUSED');
    expect(await refusedBy(signIn(email, { totpCode: codeOf(secret, 1) }))).toBe('TAKEN');
    expect(await refusedBy(signIn(email, { totpCode: codeOf(secret, 5) }))).toBe('SIGN_IN_REFUSED');
  });

  it('takes one code from 20 sides at two processes once', async () => {
    const generous = { SIGN_IN_ACCOUNT_FAILURES: '0' };
    const [a, b] = await Promise.all([openWorld(generous), openWorld(generous)]);
    const { email, secret } = await seedWithSecondFactor();
    const totpCode = codeOf(secret, 1);
    const sides = Array.from({ length: 20 }, async (_, side) =>
      refusedBy(signIn(email, { totpCode, by: side % 2 ? a : b })),
    );
    expect(counted(await Promise.all(sides))).toEqual({ TAKEN: 1, SIGN_IN_REFUSED: 19 });
    await Promise.all([a.close(), b.close()]);
  });

  it('is stored encrypted, and cannot be moved to another account', async () => {
    const { staffId, secret, email } = await seedWithSecondFactor();
    const read = async () => (await world.services.staff.find(tenantId, staffId))?.totpSecret ?? '';
    const sealed = await read();
    expect(sealed).not.toContain(secret);
    const another = await seedWithSecondFactor();
    await emOf(world, tenantId).execute('update staff set totp_secret = ? where tenant_id = ? and id = ?', [
      sealed,
      tenantId,
      another.staffId,
    ]);
    const stolen = await refusedBy(signIn(another.email, { totpCode: codeOf(secret) }));
    expect(stolen).toBe('SIGN_IN_REFUSED');
    expect(await refusedBy(signIn(email, { totpCode: codeOf(secret) }))).toBe('TAKEN');
  });

  it('is removed with password and code, and enrolled with the password only', async () => {
    const { email, secret, call } = await seedWithSecondFactor();
    const { ownAccounts } = world.services;
    expect(await refusedBy(ownAccounts.enrol(call, PASSWORD))).toBe('SECOND_FACTOR_EXISTS');
    expect(await refusedBy(ownAccounts.remove(call, 'wrong wrong wrong', codeOf(secret)))).toBe(
      'PASSWORD_WRONG',
    );
    expect(await refusedBy(ownAccounts.remove(call, PASSWORD, '000000'))).toBe('TOTP_CODE_WRONG');
    expect(await refusedBy(ownAccounts.remove(call, PASSWORD, codeOf(secret, 1)))).toBe('TAKEN');
    expect(await refusedBy(ownAccounts.remove(call, PASSWORD, codeOf(secret)))).toBe('SECOND_FACTOR_MISSING');
    expect(await refusedBy(ownAccounts.confirm(call, codeOf(secret)))).toBe('ENROLMENT_REQUIRED');
    expect(await refusedBy(signIn(email))).toBe('TAKEN');
    expect(await refusedBy(ownAccounts.enrol(call, 'wrong wrong wrong'))).toBe('PASSWORD_WRONG');
  });
});

describe('recovery codes', () => {
  const left = async (staffId: string): Promise<number | undefined> =>
    (await world.services.staff.find(tenantId, staffId))?.recoveryDigests?.length;

  it('are ten, stored as digests, and sign in once each without the app, however they are typed', async () => {
    const { staffId, email, recoveryCodes } = await seedWithSecondFactor();
    expect(new Set(recoveryCodes).size).toBe(10);
    expect(recoveryCodes.every((code) => /^([A-Z2-7]{4}-){3}[A-Z2-7]{4}$/.test(code))).toBe(true);
    const row = JSON.stringify(await world.services.staff.find(tenantId, staffId));
    for (const code of recoveryCodes)
      expect([row.includes(code), row.includes(code.replaceAll('-', ''))]).toEqual([false, false]);
    const [first = '', second = ''] = recoveryCodes;
    expect(
      await refusedBy(signIn(email, { totpCode: ` ${first.toLowerCase().replaceAll('-', ' ')} ` })),
    ).toBe('TAKEN');
    expect(await left(staffId)).toBe(9);
    expect(await refusedBy(signIn(email, { totpCode: first }))).toBe('SIGN_IN_REFUSED');
    expect(await refusedBy(signIn(email, { totpCode: 'AAAA-AAAA-AAAA-AAAA' }))).toBe('SIGN_IN_REFUSED');
    expect(await refusedBy(signIn(email, { password: 'wrong wrong wrong', totpCode: second }))).toBe(
      'SIGN_IN_REFUSED',
    );
    expect(await left(staffId)).toBe(9);
  });

  it('work once each from 20 sides at two processes', async () => {
    const generous = { SIGN_IN_ACCOUNT_FAILURES: '0' };
    const [a, b] = await Promise.all([openWorld(generous), openWorld(generous)]);
    const { staffId, email, recoveryCodes } = await seedWithSecondFactor();
    const sides = Array.from({ length: 20 }, async (_, side) =>
      refusedBy(signIn(email, { totpCode: recoveryCodes[side % 2] ?? '', by: side % 4 < 2 ? a : b })),
    );
    expect(counted(await Promise.all(sides))).toEqual({ TAKEN: 2, SIGN_IN_REFUSED: 18 });
    expect(await left(staffId)).toBe(8);
    await Promise.all([a.close(), b.close()]);
  });

  it('are replaced with password and code, which ends those of before; and go with the second factor', async () => {
    const { staffId, email, secret, call, recoveryCodes } = await seedWithSecondFactor();
    const { ownAccounts } = world.services;
    const regenerate = async (password: string, code: string) =>
      refusedBy(ownAccounts.regenerateRecoveryCodes(call, password, code));
    expect(await regenerate('wrong wrong wrong', codeOf(secret))).toBe('PASSWORD_WRONG');
    expect(await regenerate(PASSWORD, '000000')).toBe('TOTP_CODE_WRONG');
    const made = await ownAccounts.regenerateRecoveryCodes(call, PASSWORD, codeOf(secret));
    expect(await left(staffId)).toBe(10);
    expect(await refusedBy(signIn(email, { totpCode: recoveryCodes[0] ?? '' }))).toBe('SIGN_IN_REFUSED');
    // The app is lost: one code signs in, another one removes the second factor.
    const [first = '', second = ''] = made.recoveryCodes;
    expect(await refusedBy(signIn(email, { totpCode: first }))).toBe('TAKEN');
    expect(await refusedBy(ownAccounts.remove(call, PASSWORD, second))).toBe('TAKEN');
    expect(await left(staffId)).toBeUndefined();
    expect(await regenerate(PASSWORD, second)).toBe('SECOND_FACTOR_MISSING');
    expect(await refusedBy(signIn(email))).toBe('TAKEN');
  });
});

describe("one's own password", () => {
  it('is changed by the one before, which ends all other sessions and no more', async () => {
    const { email } = await seedStaff(world, tenantId, 'OPERATOR');
    const [mine, others] = [await callOf(email), await callOf(email)];
    const { ownAccounts, access } = world.services;
    const change = async (current: string, wanted: string) =>
      refusedBy(ownAccounts.changePassword(mine, current, wanted));
    expect(await change('wrong wrong wrong', 'a new long password')).toBe('PASSWORD_WRONG');
    expect(await change(PASSWORD, 'short')).toBe('PASSWORD_NOT_ALLOWED');
    expect(await change(PASSWORD, 'a new long password')).toBe('TAKEN');
    expect(await access.refusalOf(mine.actor)).toBeNull();
    expect(await access.refusalOf(others.actor)).toBe('SESSION_ENDED');
    expect(await refusedBy(signIn(email))).toBe('SIGN_IN_REFUSED');
    expect(await refusedBy(signIn(email, { password: 'a new long password' }))).toBe('TAKEN');
  });

  it('needs a sign-in with an account: a token of an operator has none, also one with the id of an account', async () => {
    const { staffId } = await seedStaff(world, tenantId);
    const actor = { kind: 'STAFF', tenantId, staffId, role: 'OWNER' } as const;
    const { ownAccounts, staffSignIns } = world.services;
    const call = { actor, ip: '' };
    expect(await refusedBy(ownAccounts.changePassword(call, PASSWORD, 'a new long password'))).toBe(
      'ACCOUNT_REQUIRED',
    );
    expect(await refusedBy(ownAccounts.enrol(call, PASSWORD))).toBe('ACCOUNT_REQUIRED');
    expect(await refusedBy(staffSignIns.signOut(actor, true))).toBe('ACCOUNT_REQUIRED');
  });
});

describe('password hashes', () => {
  it('take about the same time with and without an account', async () => {
    const hasher = new PasswordHasher();
    const hash = await hasher.hash(PASSWORD);
    const spent = async (stored: string | null): Promise<number> => {
      const startMs = performance.now();
      for (let at = 0; at < 5; at += 1) await hasher.verify(stored, 'wrong wrong wrong');
      return performance.now() - startMs;
    };
    await spent(null);
    const ratio = (await spent(null)) / (await spent(hash));
    expect(ratio).toBeGreaterThan(0.1);
    expect(ratio).toBeLessThan(10);
    expect(await hasher.verify(hash, PASSWORD)).toBe(true);
    expect(await hasher.verify(hash, `${PASSWORD} `)).toBe(false);
  });

  it('that wait in great number are refused instead of queued', async () => {
    const hasher = new PasswordHasher(4);
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, async () => refusedBy(hasher.verify(null, 'x'))),
    );
    expect(counted(outcomes)).toEqual({ TAKEN: 6, BUSY: 14 });
  });
});
