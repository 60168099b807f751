import { describe, expect, it } from 'vitest';
import { duringOperation } from '../../src/platform/recording/current-operation.js';
import { HeldPlace } from '../../src/platform/scheduling/held-place.js';
import { entriesOf, findingsOf } from '../support/audit.js';
import { OidcProvider, type Persona } from '../support/oidc-provider.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { refusedBy, seedStaff } from '../support/staff-world.js';
import { emOf, openWorld, seedTenant, type World } from '../support/world.js';

let provider: OidcProvider;
let world: World;
let tenantId: string;

openBeforeAll(async (closing) => {
  provider = await closing(OidcProvider.start());
  world = await closing(openWorld(provider.environment));
  ({ tenantId } = await seedTenant(world));
});

const begin = async (tenant = tenantId) => world.services.staffOidc.begin(tenant);
const complete = async (flowToken: string, url: string) => world.services.staffOidc.complete(flowToken, url);

async function signIn(persona: Persona, tenant = tenantId) {
  const { authorizationUrl, flowToken } = await begin(tenant);
  return complete(flowToken, provider.signIn(authorizationUrl, persona));
}

describe('a sign-in by OpenID Connect', () => {
  it('is let in with a verified address, in any case, and opens a session of the account', async () => {
    const { email, staffId } = await seedStaff(world, tenantId, 'AUDITOR');
    const session = await signIn({ email: email.toUpperCase() });
    const actor = world.services.tokens.verify(session.accessToken);
    expect(actor).toMatchObject({ kind: 'STAFF', tenantId, staffId, role: 'AUDITOR' });
    expect(await world.services.access.refusalOf(actor)).toBeNull();
    await world.services.staffChanges.update(tenantId, staffId, { status: 'DISABLED' });
    expect(await world.services.access.refusalOf(actor)).toBe('SESSION_ENDED');
    expect(await refusedBy(signIn({ email }))).toBe('SIGN_IN_REFUSED');
  });

  it('holds no place of its process while the provider is asked', async () => {
    const { email } = await seedStaff(world, tenantId);
    const { authorizationUrl, flowToken } = await begin();
    let held = 0;
    const place = await HeldPlace.take(async () => {
      held += 1;
      return () => {
        held -= 1;
      };
    });
    const answer = provider.hang();
    const completed = place.during(async () =>
      complete(flowToken, provider.signIn(authorizationUrl, { email })),
    );
    await expect.poll(() => provider.waiting).toBe(1);
    expect(held).toBe(0);
    answer();
    expect((await completed).staff).toMatchObject({ email });
    expect(held).toBe(1);
  });

  it('accepts an invitation, whose token works no longer', async () => {
    const email = 'invited-by-provider@example.com';
    const { staff, invitationToken } = await world.services.staff.invite(tenantId, {
      email,
      name: 'N',
      role: 'OPERATOR',
    });
    expect((await signIn({ email })).staff).toMatchObject({ id: staff.id, status: 'ACTIVE' });
    const accepted = world.services.staff.accept(invitationToken, 'a long password here', '');
    expect(await refusedBy(accepted)).toBe('INVITATION_UNKNOWN');
  });

  it('does not accept an invitation that has expired', async () => {
    const email = 'invited-too-long-ago@example.com';
    const invited = { email, name: 'N', role: 'OPERATOR' };
    const { staff } = await world.services.staff.invite(tenantId, invited);
    const sql = 'update staff set invitation_expires_at = ? where tenant_id = ? and id = ?';
    const past = new Date(world.services.clock.nowMs() - 1);
    await emOf(world, tenantId).execute(sql, [past, tenantId, staff.id]);
    expect(await refusedBy(signIn({ email }))).toBe('SIGN_IN_REFUSED');
    expect(await world.services.staff.find(tenantId, staff.id)).toMatchObject({ status: 'INVITED' });
    await world.services.staff.invite(tenantId, invited);
    expect(await refusedBy(signIn({ email }))).toBe('TAKEN');
  });

  it('refuses accounts that were not invited to this tenant, and those of a disabled tenant', async () => {
    const { email } = await seedStaff(world, tenantId);
    const { tenantId: foreign } = await seedTenant(world);
    expect(await refusedBy(signIn({ email: 'stranger@example.com' }))).toBe('SIGN_IN_REFUSED');
    expect(await refusedBy(signIn({ email }, foreign))).toBe('SIGN_IN_REFUSED');
    const own = await seedStaff(world, foreign);
    await world.services.tenantChanges.update(foreign, { status: 'DISABLED' });
    expect(await refusedBy(signIn({ email: own.email }, foreign))).toBe('SIGN_IN_REFUSED');
  });

  it('that is refused for an account is in the audit log once a minute; one of a stranger is not', async () => {
    const { tenantId: own } = await seedTenant(world);
    const { email, staffId } = await seedStaff(world, own, 'AUDITOR');
    await world.services.staffChanges.update(own, staffId, { status: 'DISABLED' });
    const operation = { name: 'completeStaffOidc', by: null, ip: '192.0.2.5', requestId: null, input: null };
    const recorded = async (persona: Persona) =>
      duringOperation({ ...operation, onUnrecorded: () => undefined }, async () =>
        refusedBy(signIn(persona, own)),
      );
    expect(await recorded({ email: 'stranger@example.com' })).toBe('SIGN_IN_REFUSED');
    expect(await recorded({ email })).toBe('SIGN_IN_REFUSED');
    await expect.poll(async () => entriesOf(world, own)).toHaveLength(1);
    expect(await recorded({ email })).toBe('SIGN_IN_REFUSED');
    const refused = { actorId: staffId, actorRole: null, credentialId: null, targetId: staffId };
    expect(await entriesOf(world, own)).toMatchObject([
      { ...refused, operation: 'completeStaffOidc refused', ip: '192.0.2.5' },
    ]);
    expect(await findingsOf(world, own)).toEqual([]);
  });

  it.each<[string, Partial<Persona>]>([
    ['an address that is not verified', { email_verified: false }],
    ['one that is said to be verified by a text', { email_verified: 'true' }],
    ['another nonce', { claims: { nonce: 'another' } }],
    ['another audience', { claims: { aud: 'someone-else' } }],
    ['another issuer', { claims: { iss: 'https://elsewhere.example' } }],
    ['an expired ID token', { claims: { exp: 1_700_000_000 } }],
    ['a foreign signature', { key: 'foreign' }],
    ['no address', { claims: { email: undefined } }],
  ])('is refused with %s', async (_name, fault) => {
    const { email } = await seedStaff(world, tenantId);
    expect(await refusedBy(signIn({ email, ...fault }))).toBe('PROVIDER_REFUSED');
  });

  it('is refused with the answer to another sign-in, a code that was used, and a denial', async () => {
    const { email } = await seedStaff(world, tenantId);
    const [mine, other] = [await begin(), await begin()];
    const others = provider.signIn(other.authorizationUrl, { email });
    expect(await refusedBy(complete(mine.flowToken, others))).toBe('PROVIDER_REFUSED');
    // With the state of the other's, so that PKCE alone refuses the code.
    const stolen = new URL(others);
    stolen.searchParams.set('state', new URL(mine.authorizationUrl).searchParams.get('state') ?? '');
    expect(await refusedBy(complete(mine.flowToken, stolen.href))).toBe('PROVIDER_REFUSED');
    const again = await begin();
    const back = provider.signIn(again.authorizationUrl, { email });
    expect(await refusedBy(complete(again.flowToken, back))).toBe('TAKEN');
    expect(await refusedBy(complete(again.flowToken, back))).toBe('PROVIDER_REFUSED');
    const denied = await begin();
    const state = new URL(denied.authorizationUrl).searchParams.get('state') ?? '';
    const url = `https://console.example/callback?error=access_denied&state=${state}`;
    expect(await refusedBy(complete(denied.flowToken, url))).toBe('PROVIDER_REFUSED');
    expect(await refusedBy(complete(denied.flowToken, 'no url'))).toBe('PROVIDER_REFUSED');
  });

  it('is refused without its state, or with another one, although code, nonce and verifier are right', async () => {
    const { email } = await seedStaff(world, tenantId);
    for (const state of [null, '', 'another']) {
      const { authorizationUrl, flowToken } = await begin();
      const back = new URL(provider.signIn(authorizationUrl, { email }));
      if (state === null) back.searchParams.delete('state');
      else back.searchParams.set('state', state);
      expect([state, await refusedBy(complete(flowToken, back.href))]).toEqual([state, 'PROVIDER_REFUSED']);
    }
  });

  it('is refused with a token of another origin, and where no provider is configured or it does not answer', async () => {
    const { flowToken } = await begin();
    for (const forged of ['', 'x', flowToken.slice(0, -2)])
      expect(await refusedBy(complete(forged, 'https://console.example/callback'))).toBe('FLOW_UNKNOWN');
    const away = await openWorld({ ...provider.environment, OIDC_ISSUER: 'http://127.0.0.1:9' });
    expect(await refusedBy(away.services.staffOidc.begin(tenantId))).toBe('PROVIDER_UNAVAILABLE');
    const without = await openWorld();
    expect(await refusedBy(without.services.staffOidc.begin(tenantId))).toBe('OIDC_OFF');
    expect(await refusedBy(without.services.staffOidc.complete(flowToken, ''))).toBe('OIDC_OFF');
    await Promise.all([away.close(), without.close()]);
  });
});
