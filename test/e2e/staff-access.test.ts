import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StaffActor } from '../../src/graphql/actor.js';
import { standingCluster, staffToken, signedUser, type Cluster } from '../support/cluster.js';
import { graphqlRequest, graphqlSubscribe } from '../support/graphql-client.js';
import { withLag } from '../support/outage.js';
import { PASSWORD, seedStaff } from '../support/staff-world.js';
import { cursorNow, redeem, seedCampaign, seedTenant, type SeededTenant } from '../support/world.js';

/** "Within seconds": less than an open session is remembered. */
const SETTLED_WITHIN_MS = 5000;
const VIEWER = '{ viewer { staffId role staff { email role } } }';

let cluster: Cluster;
let tenant: SeededTenant;
let codes: string[];

beforeAll(async () => {
  cluster = await standingCluster();
  tenant = await seedTenant(cluster.world);
  codes = [...(await seedCampaign(cluster.world, tenant, 10)).codes];
});
afterAll(async () => cluster?.close());

interface Session {
  readonly accessToken: string;
  readonly refreshToken: string;
}

const SESSION = 'accessToken refreshToken errors { code message }';

async function mutate(url: string, name: string, input: object, token?: string): Promise<Session & Answer> {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  const { data, errors } = await graphqlRequest<Record<string, Session & Answer>>(url, {
    query: `mutation ($input: ${type}!) { ${name}(input: $input) { ${
      name === 'refreshStaffSession' || name === 'signInStaff' ? SESSION : 'errors { code message }'
    } } }`,
    variables: { input },
    headers: { 'x-tenant-id': tenant.tenantId },
    ...(token === undefined ? {} : { token }),
  });
  const answer = data?.[name];
  if (answer === undefined || answer === null) throw new Error(JSON.stringify(errors));
  return answer;
}
interface Answer {
  readonly errors: readonly { readonly code: string }[];
}

/** One sign-in, and a socket of it at each of the two processes. */
async function signedIn(role: 'OWNER' | 'OPERATOR' = 'OPERATOR') {
  const member = await seedStaff(cluster.world, tenant.tenantId, role);
  const [a, b] = cluster.urls;
  const session = await mutate(a, 'signInStaff', { email: member.email, password: PASSWORD });
  expect(session.errors).toEqual([]);
  const { accessToken: token } = session;
  const after = await cursorNow(cluster.world, tenant.tenantId);
  const listen = async (url: string) =>
    graphqlSubscribe(url, {
      query: `subscription { redemptionSettled(after: "${after}") { redemptionId } }`,
      token,
    });
  return { ...member, ...session, sockets: [await listen(a), await listen(b)] };
}

async function viewerAt(url: string, token: string): Promise<string> {
  const { data, errors } = await graphqlRequest<{ viewer: { role: string } | null }>(url, {
    query: VIEWER,
    token,
  });
  return errors?.[0]?.extensions.code ?? data?.viewer?.role ?? 'NOBODY';
}

/** Soon; on a busy machine everything is a little later. */
async function settles(seen: () => Promise<unknown>, wanted: unknown): Promise<void> {
  const fromMs = performance.now();
  const { lagMs } = await withLag(cluster.urls, async () => expect.poll(seen).toEqual(wanted));
  expect(performance.now() - fromMs).toBeLessThan(SETTLED_WITHIN_MS + 2 * lagMs);
}

async function redeemed(): Promise<void> {
  const { userId } = await signedUser(cluster.world, tenant.tenantId);
  const answer = await redeem(cluster.world, tenant.tenantId, userId, codes.pop() ?? '');
  expect(answer.status).toBe('COMMITTED');
}

describe('X.22 access of staff ends over HTTP and sockets, on every process', () => {
  const owner = (): string => staffToken(cluster.world, tenant.tenantId);

  it.each([
    [
      'sign-out',
      async ({ accessToken }: Session) => mutate(cluster.urls[0], 'signOutStaff', {}, accessToken),
    ],
    [
      'disabling',
      async ({ staffId }: { staffId: string }) =>
        mutate(cluster.urls[0], 'updateStaff', { staffId, status: 'DISABLED' }, owner()),
    ],
    [
      'a change of role',
      async ({ staffId }: { staffId: string }) =>
        mutate(cluster.urls[0], 'updateStaff', { staffId, role: 'AUDITOR' }, owner()),
    ],
    [
      'an OWNER who ends the session',
      async ({ accessToken }: Session) => {
        const actor = cluster.world.services.tokens.verify(accessToken);
        const { sessionId } = actor as StaffActor;
        return mutate(cluster.urls[0], 'endSession', { sessionId }, owner());
      },
    ],
    [
      'a second use of a refresh token',
      async ({ refreshToken }: Session) => {
        await mutate(cluster.urls[0], 'refreshStaffSession', { refreshToken });
        const again = await mutate(cluster.urls[0], 'refreshStaffSession', { refreshToken });
        expect(again.errors).toMatchObject([{ code: 'REFRESH_TOKEN_REUSED' }]);
        return { errors: [] };
      },
    ],
  ])('X.22 by %s, within seconds; nothing is delivered afterwards', async (_name, end) => {
    const member = await signedIn();
    const [a, b] = cluster.urls;
    expect([await viewerAt(a, member.accessToken), await viewerAt(b, member.accessToken)]).toEqual([
      'OPERATOR',
      'OPERATOR',
    ]);
    await redeemed();
    for (const socket of member.sockets)
      expect(await socket.next()).toMatchObject({ data: { redemptionSettled: {} } });
    const ends = member.sockets.map(async (socket) => socket.next().then(JSON.stringify, String));
    expect((await end(member)).errors).toEqual([]);
    expect(await viewerAt(a, member.accessToken)).toBe('SESSION_ENDED');
    // The process that ended it sends nothing more: not even what happens before its next look at the sockets.
    await redeemed();
    expect(await ends[0]).toContain('closed: 4403');
    await settles(async () => viewerAt(b, member.accessToken), 'SESSION_ENDED');
    const closed = await Promise.all(
      member.sockets.map(async (socket, at) => closeCodeIn((await ends[at]) ?? '') ?? lastOf(socket)),
    );
    expect(closed).toEqual(['4403', '4403']);
    const refreshed = await mutate(b, 'refreshStaffSession', { refreshToken: member.refreshToken });
    expect(refreshed.errors).toMatchObject([{ code: 'SESSION_ENDED' }]);
  });

  it('X.22 by sign-out everywhere: of both sessions, and of no other account', async () => {
    const one = await signedIn();
    const bystander = await signedIn();
    const [a, b] = cluster.urls;
    const two = await mutate(b, 'signInStaff', { email: one.email, password: PASSWORD });
    await mutate(a, 'signOutStaff', { everywhere: true }, one.accessToken);
    const seen = async () => [await viewerAt(b, one.accessToken), await viewerAt(b, two.accessToken)];
    await settles(seen, ['SESSION_ENDED', 'SESSION_ENDED']);
    expect(await viewerAt(b, bystander.accessToken)).toBe('OPERATOR');
    for (const socket of bystander.sockets) await socket.close();
  });
});

function closeCodeIn(text: string): string | null {
  return /closed: ([0-9]+)/.exec(text)?.[1] ?? null;
}

/** How a socket ended, after what was sent before. */
async function lastOf(socket: Awaited<ReturnType<typeof graphqlSubscribe>>): Promise<string> {
  for (;;) {
    try {
      if ((await socket.next()) === null) return 'completed';
    } catch (error) {
      return closeCodeIn(String(error)) ?? String(error);
    }
  }
}
