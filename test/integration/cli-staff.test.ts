import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callCli, cliEnvironment, refusalLineOf } from '../support/cli.js';
import { PASSWORD } from '../support/staff-world.js';
import { openWorld, seedTenant, type World } from '../support/world.js';

const EMAIL = 'alice@example.com';

let world: World;
let tenantId: string;

beforeAll(async () => {
  world = await openWorld();
  ({ tenantId } = await seedTenant(world));
});
afterAll(async () => world?.close());

const staff = async (verb: string, ...args: string[]) =>
  callCli(cliEnvironment(), ['staff', verb, '--tenant', tenantId, ...args]);
const signIn = async (password: string) =>
  world.services.staffSignIns.signIn({ tenantId, email: EMAIL, password, ip: '' });

describe('the command staff', () => {
  it('invites the first OWNER with a token that works once, lists, changes and resets accounts', async () => {
    const invited = await staff('invite', '--email', EMAIL, '--name', 'Alice', '--role', 'OWNER');
    expect(invited).toMatchObject({ status: 0, stdout: expect.stringMatching(/^rki_\S+\n$/) as string });
    expect(invited.stderr).toContain(`${EMAIL} is invited as OWNER until `);
    await world.services.staff.accept(invited.stdout.trim(), PASSWORD, '');
    expect((await signIn(PASSWORD)).staff).toMatchObject({ role: 'OWNER', name: 'Alice' });
    const listed = await staff('list', '--role', 'OWNER', '--json');
    expect(JSON.parse(listed.stdout)).toMatchObject({
      total: 1,
      items: [{ email: EMAIL, status: 'ACTIVE' }],
    });
    expect(listed.stdout).not.toContain('argon2');
    const off = await refusalLineOf(staff('update', '--email', EMAIL, '--status', 'DISABLED'));
    expect(off.line).toMatch(/^LAST_OWNER: /);
    const renamed = await staff('update', '--email', EMAIL, '--name', 'Alice B', '--json');
    expect(JSON.parse(renamed.stdout)).toMatchObject({ name: 'Alice B', role: 'OWNER' });
    const bob = ['--email', 'bob@example.com', '--name', 'Bob', '--role', 'OWNER'];
    await world.services.staff.accept(await tokenOf(staff('invite', ...bob)), PASSWORD, '');
    const token = await tokenOf(staff('reset', '--email', EMAIL));
    await expect(signIn(PASSWORD)).rejects.toMatchObject({ code: 'SIGN_IN_REFUSED' });
    await world.services.staff.accept(token, 'another long password', '');
    expect((await signIn('another long password')).staff.id).toBeDefined();
  });

  it('refuses an account that is not there, and a tenant that does not exist', async () => {
    const reset = await refusalLineOf(staff('reset', '--email', 'nobody@example.com'));
    expect(reset.line).toMatch(/^STAFF_NOT_FOUND: .*`staff list` shows all accounts\.$/);
    const own = tenantId;
    tenantId = 'NO_SUCH_TENANT';
    const none = staff('invite', '--email', EMAIL, '--name', 'A', '--role', 'OWNER');
    expect((await refusalLineOf(none)).line).toMatch(/^TENANT_NOT_FOUND: /);
    tenantId = own;
  });
});

/** The token; who is invited is said on standard error. */
async function tokenOf(run: ReturnType<typeof staff>): Promise<string> {
  const { stdout, status } = await run;
  expect(status).toBe(0);
  return stdout.trim();
}
