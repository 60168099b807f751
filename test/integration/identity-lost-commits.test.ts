import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { newIdentifier, newSecret, seedDeviceTenant } from '../support/devices.js';
import { loseNextCommit } from '../support/failing-statements.js';
import { codeOf, PASSWORD, refusedBy, seedStaff } from '../support/staff-world.js';
import { emOf, openWorld, seedTenant, type World } from '../support/world.js';
import { withinOne } from '../support/periods.js';

const NEW_PASSWORD = 'a new long password';

let world: World;
let tenantId: string;
beforeAll(async () => {
  world = await openWorld();
  ({ tenantId } = await seedTenant(world));
});
afterAll(async () => world?.close());
afterEach(() => vi.restoreAllMocks());

const signIn = async (email: string, password = PASSWORD, totpCode?: string) =>
  world.services.staffSignIns.signIn({ tenantId, email, password, totpCode, ip: '' });

async function callOf(email: string) {
  const actor = world.services.tokens.verify((await signIn(email)).accessToken);
  if (actor.kind !== 'STAFF') throw new Error('No member of staff.');
  return { actor, ip: '' };
}

async function openSessions(staffId: string): Promise<number> {
  const sql = 'select id from session where tenant_id = ? and subject_id = ? and ended_at is null';
  return (await emOf(world, tenantId).execute<object[]>(sql, [tenantId, staffId])).length;
}

describe.each([
  ['whose reply was lost', true],
  ['that was lost', false],
])('a COMMIT %s', (_, isApplied) => {
  it('of an accepted invitation leaves the password that was chosen', async () => {
    const email = `accepted-${isApplied}@example.com`;
    const invited = await world.services.staff.invite(tenantId, { email, name: 'New', role: 'AUDITOR' });
    loseNextCommit(world, { isApplied });
    const accepted = await world.services.staff.accept(invited.invitationToken, PASSWORD, '');
    expect(accepted.status).toBe('ACTIVE');
    expect(await refusedBy(signIn(email))).toBe('TAKEN');
  });

  it('of a changed password ends the other sessions and answers the account', async () => {
    const { email, staffId } = await seedStaff(world, tenantId);
    await signIn(email);
    const call = await callOf(email);
    loseNextCommit(world, { isApplied });
    const changed = await world.services.ownAccounts.changePassword(call, PASSWORD, NEW_PASSWORD);
    expect(changed.id).toBe(staffId);
    expect(await openSessions(staffId)).toBe(1);
    expect(await refusedBy(signIn(email, NEW_PASSWORD))).toBe('TAKEN');
  });

  it('of each step of a second factor makes that step, and its sign-in opens one session', async () => {
    await withinOne(30_000, 5000);
    const { email, staffId } = await seedStaff(world, tenantId);
    const call = await callOf(email);
    const { ownAccounts } = world.services;
    loseNextCommit(world, { isApplied });
    const { secret } = await ownAccounts.enrol(call, PASSWORD);
    loseNextCommit(world, { isApplied });
    expect((await ownAccounts.confirm(call, codeOf(secret, -1))).staff.totpSecret).not.toBeNull();
    loseNextCommit(world, { isApplied });
    const { refreshToken } = await signIn(email, PASSWORD, codeOf(secret));
    expect(await openSessions(staffId)).toBe(2);
    expect(await refusedBy(world.services.staffSignIns.refresh(refreshToken))).toBe('TAKEN');
    loseNextCommit(world, { isApplied });
    expect((await ownAccounts.remove(call, PASSWORD, codeOf(secret, 1))).totpSecret).toBeNull();
    expect(await refusedBy(signIn(email))).toBe('TAKEN');
  });

  it('of an unbinding answers the device, and tells of it once', async () => {
    const { tenantId: tenant } = await seedDeviceTenant(world);
    const input = { identifier: newIdentifier(), secret: newSecret() };
    const device = await world.services.deviceLogins.login({ tenantId: tenant, ip: '' }, input);
    loseNextCommit(world, { isApplied });
    const unbound = await world.services.deviceChanges.unbind(tenant, device.userId, device.deviceId);
    expect(unbound.unboundAt).not.toBeNull();
    const sql = `select seq from outbox_event where tenant_id = ? and type = 'session_revoked'`;
    expect(await emOf(world, tenant).execute<object[]>(sql, [tenant])).toHaveLength(1);
    const { userId } = device;
    expect(await world.services.access.refusalOf({ tenantId: tenant, userId })).toBe('USER_DISABLED');
  });
});
