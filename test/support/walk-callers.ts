import { systemEm } from '../../src/platform/database/orm.js';
import type { WalkCaller } from './walk-caller.js';
import type { Actor } from '../../src/graphql/actor.js';
import { denialOf, type Rule } from '../../src/graphql/rule.js';
import { TokenService } from '../../src/identity/token.service.js';
import { partnerCallers } from './walk-partners.js';
import { seedTenant, seedUser, TEST_SECRETS, type World } from './world.js';

/** Makes callers of one kind in the tenant of the walk. */
type Make = (world: World, tenantId: string) => Promise<readonly WalkCaller[]> | readonly WalkCaller[];

/** What the documents of the walk hold in the place of texts. */
export const PROBE = 'PROBE_1';
const HOUR_S = 900;
const ROLES = ['OWNER', 'OPERATOR', 'AUDITOR'] as const;

/** Callers by the feature that knows them; a feature with a new kind of token adds one entry. */
export const WALK_CALLERS: Readonly<Record<string, Make>> = {
  'no token': () => [
    { name: 'no token', token: null, denied: ({ rule }) => codeOf(rule, null), hasNoSocket: false },
  ],
  'bad tokens': badTokens,
  users: async (world, tenantId) => [
    signed(world, 'a user', { kind: 'USER', tenantId, userId: await seedUser(world, tenantId) }),
    ...(await disabledUsers(world, tenantId)),
  ],
  staff: (world, tenantId) =>
    ROLES.map((role) => signed(world, `an ${role}`, { kind: 'STAFF', tenantId, staffId: 's', role })),
  nodes: async (world, tenantId) => {
    const { id: nodeId } = await world.services.nodes.create(tenantId, { name: 'N', address: 'n.example' });
    return [signed(world, 'a node', { kind: 'NODE', tenantId, nodeId }), ...deletedNodes(world, tenantId)];
  },
  sessions: endedSessions,
  partners: async (world, tenantId) => partnerCallers(world, tenantId, PROBE),
  devices: unboundDevices,
  tenants: disabledTenants,
};

function codeOf(rule: Rule, actor: Actor | null): string | null {
  return (denialOf(rule, actor)?.extensions['code'] as string | undefined) ?? null;
}

/** A caller with a good token, denied what its kind and role may not do. */
export function signed({ services }: World, name: string, actor: Actor): WalkCaller {
  const token = services.tokens.sign(actor, HOUR_S);
  return { name, token, denied: ({ rule }) => codeOf(rule, actor), hasNoSocket: false };
}

/** A caller with a good token who may do nothing. */
function barred(world: World, name: string, actor: Actor, code: string): WalkCaller {
  const denied: WalkCaller['denied'] = ({ rule, judgesAccess }) =>
    (judgesAccess ? codeOf(rule, actor) : null) ?? code;
  return { ...signed(world, name, actor), denied, hasNoSocket: true };
}

function badTokens({ services }: World, tenantId: string): WalkCaller[] {
  const actor: Actor = { kind: 'STAFF', tenantId, staffId: 's', role: 'OWNER' };
  const good = services.tokens.sign(actor, HOUR_S);
  const past = new TokenService([TEST_SECRETS.jwtSecret], { nowMs: () => Date.now() - 3_600_000 });
  const foreign = new TokenService(['f'.repeat(40)], { nowMs: () => Date.now() });
  const tokens: Record<string, string> = {
    malformed: 'nonsense',
    expired: past.sign(actor, HOUR_S),
    'signed by another key': foreign.sign(actor, HOUR_S),
    'with another signature': `${good.slice(0, -6)}AAAAAA`,
    'of no algorithm': `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${good.split('.')[1]}.`,
  };
  return Object.entries(tokens).map(([name, token]) => ({
    name: `a token ${name}`,
    token,
    denied: () => 'UNAUTHENTICATED',
    hasNoSocket: true,
  }));
}

async function disabledUsers(world: World, tenantId: string): Promise<WalkCaller[]> {
  const userId = await seedUser(world, tenantId);
  await world.services.userChanges.update(tenantId, { userId, status: 'DISABLED' });
  const unknown = world.services.ids.next();
  return [
    barred(world, 'a disabled user', { kind: 'USER', tenantId, userId }, 'USER_DISABLED'),
    barred(world, 'a user without a row', { kind: 'USER', tenantId, userId: unknown }, 'USER_DISABLED'),
  ];
}

function deletedNodes(world: World, tenantId: string): WalkCaller[] {
  const nodeId = world.services.ids.next();
  return [barred(world, 'a node without a row', { kind: 'NODE', tenantId, nodeId }, 'NODE_NOT_FOUND')];
}

async function endedSessions(world: World, tenantId: string): Promise<WalkCaller[]> {
  const { sessions, transactions } = world.services;
  const userId = await seedUser(world, tenantId);
  const ended = async (kind: 'DEVICE' | 'STAFF', subjectId: string): Promise<string> =>
    transactions.run(tenantId, async (em) => {
      const { sessionId } = await sessions.open(em, { tenantId, kind, subjectId });
      await sessions.end(em, { tenantId, sessionId }, 'SIGNED_OUT');
      return sessionId;
    });
  const ofUser = await ended('DEVICE', userId);
  const ofStaff = await ended('STAFF', world.services.ids.next());
  const owner = { kind: 'STAFF', tenantId, staffId: 's', role: 'OWNER', sessionId: ofStaff } as const;
  return [
    barred(
      world,
      'a user who has signed out',
      { kind: 'USER', tenantId, userId, sessionId: ofUser },
      'SESSION_ENDED',
    ),
    barred(world, 'an owner who has signed out', owner, 'SESSION_ENDED'),
  ];
}

/** Its user has another device, and so is not disabled with it. */
async function unboundDevices(world: World, tenantId: string): Promise<WalkCaller[]> {
  const { settingChanges, deviceLogins, deviceLinks, deviceChanges } = world.services;
  await settingChanges.update(tenantId, { auth: { deviceSignInEnabled: true } });
  const origin = { tenantId, ip: '127.0.0.1' };
  const { userId } = await deviceLogins.login(origin, { identifier: 'walk-1' });
  const { linkCode } = await deviceLinks.create(tenantId, userId);
  const { deviceId, sessionId } = await deviceLogins.login(origin, { identifier: 'walk-2', linkCode });
  await deviceChanges.unbind(tenantId, null, deviceId);
  const actor = { kind: 'USER', tenantId, userId, sessionId, deviceId } as const;
  return [barred(world, 'an unbound device', actor, 'SESSION_ENDED')];
}

async function disabledTenants(world: World): Promise<WalkCaller[]> {
  const { tenantId } = await seedTenant(world);
  const userId = await seedUser(world, tenantId);
  await systemEm(world.stores.orm).execute("update tenant set status = 'DISABLED' where id = ?", [tenantId]);
  world.services.access.changed({ tenantId });
  const staff = { kind: 'STAFF', staffId: 's', role: 'OWNER' } as const;
  const code = 'TENANT_NOT_ACTIVE';
  return [
    barred(world, "a disabled tenant's user", { kind: 'USER', tenantId, userId }, code),
    barred(world, "a disabled tenant's owner", { ...staff, tenantId }, code),
    barred(world, 'the owner of a tenant without a row', { ...staff, tenantId: 'NOBODY' }, code),
  ];
}
