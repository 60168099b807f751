import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StaffActor } from '../../src/graphql/actor.js';
import { codeOf, counted, PASSWORD, refusedBy, seedStaff } from '../support/staff-world.js';
import { emOf, openWorld, seedTenant, type World } from '../support/world.js';

const SIDES = 20;
/** "Within seconds": less than an open session is remembered. */
const SEEN_WITHIN_MS = 5000;

let world: World;
let other: World;
let tenantId: string;

beforeAll(async () => {
  const environment = { SIGN_IN_ACCOUNT_FAILURES: '100' };
  [world, other] = await Promise.all([openWorld(environment), openWorld(environment)]);
  ({ tenantId } = await seedTenant(world));
});
afterAll(async () => Promise.all([world?.close(), other?.close()]));

const signIn = async (email: string, password = PASSWORD, tenant = tenantId) =>
  world.services.staffSignIns.signIn({ tenantId: tenant, email, password, ip: '' });
const sessionRefusal = async (sessionId: string, by = world) =>
  by.services.access.refusalOf({ tenantId, sessionId });
const sessionOf = (accessToken: string): string =>
  (world.services.tokens.verify(accessToken) as { sessionId: string }).sessionId;
const invite = async (email: string, role = 'OPERATOR', tenant = tenantId, by = world) =>
  by.services.staff.invite(tenant, { email, name: 'Invited', role });

describe('an invitation', () => {
  it(`is accepted from ${SIDES} sides at two processes once, and then no more`, async () => {
    const { staff, invitationToken } = await invite('race@example.com');
    const sides = Array.from({ length: SIDES }, async (_, side) =>
      refusedBy((side % 2 ? other : world).services.staff.accept(invitationToken, `${PASSWORD} ${side}`, '')),
    );
    expect(counted(await Promise.all(sides))).toEqual({ TAKEN: 1, INVITATION_UNKNOWN: SIDES - 1 });
    const tries = Array.from({ length: SIDES }, async (_, side) =>
      refusedBy(signIn(staff.email, `${PASSWORD} ${side}`)),
    );
    expect(counted(await Promise.all(tries))).toEqual({ TAKEN: 1, SIGN_IN_REFUSED: SIDES - 1 });
  });

  it('stores neither the token nor the password', async () => {
    const { staff, invitationToken } = await invite('stored@example.com');
    const row = async () =>
      JSON.stringify(
        await emOf(world, tenantId).execute('select * from staff where tenant_id = ? and id = ?', [
          tenantId,
          staff.id,
        ]),
      );
    expect(await row()).not.toContain(invitationToken.split('.')[2]);
    await world.services.staff.accept(invitationToken, PASSWORD, '');
    expect(await row()).toContain('$argon2id$v=19$m=19456,t=2,p=1$');
    expect(await row()).not.toContain(PASSWORD);
  });

  it('that is renewed replaces the one before, and refuses nothing but an accepted account', async () => {
    const first = await invite('Renewed@Example.com', 'AUDITOR');
    const second = await invite('renewed@example.com', 'OPERATOR');
    expect(second.staff).toMatchObject({
      id: first.staff.id,
      role: 'OPERATOR',
      email: 'renewed@example.com',
    });
    const accept = async (token: string) => refusedBy(world.services.staff.accept(token, PASSWORD, ''));
    expect(await accept(first.invitationToken)).toBe('INVITATION_UNKNOWN');
    expect(await accept(second.invitationToken)).toBe('TAKEN');
    expect(await refusedBy(invite('renewed@example.com'))).toBe('STAFF_EXISTS');
  });

  it(`sent ${SIDES} times at once makes one account, and one of the tokens works`, async () => {
    const all = await Promise.all(
      Array.from({ length: SIDES }, async (_, side) =>
        invite('crowd@example.com', 'OPERATOR', tenantId, side % 2 ? other : world),
      ),
    );
    expect(new Set(all.map(({ staff }) => staff.id)).size).toBe(1);
    const accepted = [];
    for (const { invitationToken } of all)
      accepted.push(await refusedBy(world.services.staff.accept(invitationToken, PASSWORD, '')));
    expect(counted(accepted)).toEqual({ TAKEN: 1, INVITATION_UNKNOWN: SIDES - 1 });
  });

  it('is refused when it expired, is unknown, or comes with a poor password; nothing changes', async () => {
    const { staff, invitationToken } = await invite('expired@example.com');
    const accept = async (token: string, password = PASSWORD) =>
      refusedBy(world.services.staff.accept(token, password, ''));
    for (const poor of ['short', 'x'.repeat(129), 'aaaaaaaaaaaaaaaa'])
      expect(await accept(invitationToken, poor)).toBe('PASSWORD_NOT_ALLOWED');
    for (const wrong of ['', 'rki_', `${invitationToken}x`, `rki_${tenantId}.${staff.id}.${'a'.repeat(43)}`])
      expect(await accept(wrong)).toBe('INVITATION_UNKNOWN');
    const sql = 'update staff set invitation_expires_at = ? where tenant_id = ? and id = ?';
    const past = new Date(world.services.clock.nowMs() - 1);
    await emOf(world, tenantId).execute(sql, [past, tenantId, staff.id]);
    expect(await accept(invitationToken)).toBe('INVITATION_EXPIRED');
    expect(await world.services.staff.find(tenantId, staff.id)).toMatchObject({ status: 'INVITED' });
  });

  it.each([
    [{ email: 'no address', name: 'N', role: 'OWNER' }, 'EMAIL_NOT_ALLOWED'],
    [{ email: 'a@b.example', name: '', role: 'OWNER' }, 'NAME_NOT_ALLOWED'],
    [{ email: 'a@b.example', name: 'N', role: 'KING' }, 'INPUT_NOT_ALLOWED'],
    [{ email: 'a@b.example', name: 'N', role: 'OWNER', status: 'ACTIVE' }, 'INPUT_NOT_ALLOWED'],
  ])('with a fault is refused: %#', async (input, code) => {
    expect(await refusedBy(world.services.staff.invite(tenantId, input))).toBe(code);
  });
});

describe('the last OWNER', () => {
  it('stays, when two OWNERs remove each other, again and again: each time one succeeds', async () => {
    const { tenantId: own } = await seedTenant(world);
    const pair = [await seedStaff(world, own), await seedStaff(world, own)];
    for (let round = 0; round < 10; round += 1) {
      const change = round % 2 === 0 ? { role: 'OPERATOR' } : { status: 'DISABLED' };
      const outcomes = await Promise.all(
        pair.map(async ({ staffId }, at) =>
          refusedBy((at === 0 ? world : other).services.staffChanges.update(own, staffId, change)),
        ),
      );
      expect(counted(outcomes)).toEqual({ TAKEN: 1, LAST_OWNER: 1 });
      const restored = { role: 'OWNER', status: 'ACTIVE' };
      for (const { staffId } of pair) await world.services.staffChanges.update(own, staffId, restored);
    }
  });

  it('is neither disabled, nor demoted, nor reset; an invited OWNER is none yet', async () => {
    const { tenantId: own } = await seedTenant(world);
    const { staffId, email } = await seedStaff(world, own);
    const { invitationToken } = await invite('second@example.com', 'OWNER', own);
    const { staffChanges, staff } = world.services;
    expect(await refusedBy(staffChanges.update(own, staffId, { status: 'DISABLED' }))).toBe('LAST_OWNER');
    expect(await refusedBy(staffChanges.update(own, staffId, { role: 'AUDITOR' }))).toBe('LAST_OWNER');
    expect(await refusedBy(staff.reset(own, staffId))).toBe('LAST_OWNER');
    expect(await refusedBy(staffChanges.update(own, staffId, { name: 'New name' }))).toBe('TAKEN');
    expect(await refusedBy(signIn(email, PASSWORD, own))).toBe('TAKEN');
    await staff.accept(invitationToken, PASSWORD, '');
    expect(await refusedBy(staffChanges.update(own, staffId, { role: 'AUDITOR' }))).toBe('TAKEN');
  });
});

describe('a change of an account', () => {
  it.each([
    [{ status: 'DISABLED' }, 'SESSION_ENDED'],
    [{ role: 'AUDITOR' }, 'SESSION_ENDED'],
    [{ name: 'Another name' }, null],
    [{ role: 'OPERATOR' }, null],
  ])('ends its sessions where it ends rights: %o', async (change, refusal) => {
    const { staffId, email } = await seedStaff(world, tenantId, 'OPERATOR');
    const { accessToken, refreshToken } = await signIn(email);
    const sessionId = sessionOf(accessToken);
    expect(await sessionRefusal(sessionId, other)).toBeNull();
    await world.services.staffChanges.update(tenantId, staffId, change);
    expect(await sessionRefusal(sessionId)).toBe(refusal);
    await expect
      .poll(async () => sessionRefusal(sessionId, other), { timeout: SEEN_WITHIN_MS })
      .toBe(refusal);
    const refreshed = await refusedBy(world.services.staffSignIns.refresh(refreshToken));
    expect(refreshed).toBe(refusal ?? 'TAKEN');
  });

  it('has effect on each sign-in: none of 20 at once outlasts a DISABLED account', async () => {
    const { staffId, email } = await seedStaff(world, tenantId, 'OPERATOR');
    const signIns = Array.from({ length: 20 }, async () => signIn(email).catch(() => null));
    await world.services.staffChanges.update(tenantId, staffId, { status: 'DISABLED' });
    const opened = (await Promise.all(signIns)).filter((each) => each !== null);
    for (const { accessToken } of opened)
      expect(await sessionRefusal(sessionOf(accessToken))).toBe('SESSION_ENDED');
    expect(await refusedBy(signIn(email))).toBe('SIGN_IN_REFUSED');
    await world.services.staffChanges.update(tenantId, staffId, { status: 'ACTIVE' });
    expect(await refusedBy(signIn(email))).toBe('TAKEN');
  });

  it('that enables an account without a password leaves it INVITED, and no OWNER who remains', async () => {
    const { tenantId: own } = await seedTenant(world);
    const { staffId } = await seedStaff(world, own);
    const { staff } = await invite('never-came@example.com', 'OWNER', own);
    const { staffChanges } = world.services;
    await staffChanges.update(own, staff.id, { status: 'DISABLED' });
    expect(await staffChanges.update(own, staff.id, { status: 'ACTIVE' })).toMatchObject({
      status: 'INVITED',
    });
    expect(await refusedBy(staffChanges.update(own, staffId, { status: 'DISABLED' }))).toBe('LAST_OWNER');
    const { invitationToken } = await invite('never-came@example.com', 'OWNER', own);
    expect(await refusedBy(world.services.staff.accept(invitationToken, PASSWORD, ''))).toBe('TAKEN');
  });

  it('is refused where it does not fit the account', async () => {
    const { staff } = await invite('fits@example.com');
    const { staffChanges, ids } = world.services;
    const update = async (id: string, input: object, tenant = tenantId) =>
      refusedBy(staffChanges.update(tenant, id, input));
    expect(await update(staff.id, { status: 'ACTIVE' })).toBe('STAFF_INVITED');
    expect(await update(staff.id, { expectedVersion: 7, name: 'N' })).toBe('VERSION_CONFLICT');
    expect(await update(staff.id, { status: 'INVITED' })).toBe('INPUT_NOT_ALLOWED');
    expect(await update(ids.next(), { name: 'N' })).toBe('STAFF_NOT_FOUND');
    expect(await update('none', { name: 'N' })).toBe('STAFF_NOT_FOUND');
    const { tenantId: foreign } = await seedTenant(world);
    expect(await update(staff.id, { name: 'N' }, foreign)).toBe('STAFF_NOT_FOUND');
  });

  it('by a reset ends the sessions, the password and the second factor, and the invitation sets a new one', async () => {
    const { staffId, email } = await seedStaff(world, tenantId, 'OPERATOR');
    const { accessToken } = await signIn(email);
    const { ownAccounts, staff, tokens } = world.services;
    const call = { actor: tokens.verify(accessToken) as StaffActor, ip: '' };
    const { secret } = await ownAccounts.enrol(call, PASSWORD);
    await ownAccounts.confirm(call, codeOf(secret));
    expect(await refusedBy(signIn(email))).toBe('TOTP_REQUIRED');
    const { invitationToken } = await staff.reset(tenantId, staffId);
    const nothing = { passwordHash: null, totpSecret: null, totpPending: null, recoveryDigests: null };
    expect(await staff.find(tenantId, staffId)).toMatchObject(nothing);
    expect(await sessionRefusal(sessionOf(accessToken))).toBe('SESSION_ENDED');
    expect(await refusedBy(signIn(email))).toBe('SIGN_IN_REFUSED');
    await staff.accept(invitationToken, 'another long password', '');
    expect(await refusedBy(signIn(email))).toBe('SIGN_IN_REFUSED');
    expect(await refusedBy(signIn(email, 'another long password'))).toBe('TAKEN');
  });
});
