import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { modules } from '../../src/app/modules.js';
import { buildRedeemkitSchema } from '../../src/app/schema.js';
import type { RunningServer } from '../../src/app/server.js';
import { Code } from '../../src/codes/code.entity.js';
import { present } from '../../src/platform/assert.js';
import { createLog } from '../../src/platform/observability/log.js';
import { startApi } from '../support/api-server.js';
import { graphqlRequest } from '../support/graphql-client.js';
import { OidcProvider } from '../support/oidc-provider.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { CANARY, STAFF_WALK, type Kept, type WalkStep } from '../support/staff-walk.js';
import { PASSWORD, seedStaff } from '../support/staff-world.js';
import { entriesOf, findingsOf } from '../support/audit.js';
import { fileRequest } from '../support/code-files.js';
import { emOf, openWorld, seedCampaign, seedTenant, type World } from '../support/world.js';

/** Mutations that staff or servers of partners may run, and that change nothing of their own. */
const UNRECORDED: Readonly<Record<string, string>> = {
  beginStaffOidc: 'writes nothing: the second half signs in',
  refreshStaffSession: 'continues a session, whose sign-in is on record',
};
/** Open to callers without a token, for users. */
const OF_USERS = new Set(['deviceLogin', 'refreshDeviceSession']);

let provider: OidcProvider;
let world: World;
let server: RunningServer;
const lines: string[] = [];
const kept: Kept = {};
const schema = buildRedeemkitSchema();
const mutations = present(schema.getMutationType(), 'The mutations').getFields();

openBeforeAll(async (closing) => {
  provider = await closing(OidcProvider.start());
  world = await closing(openWorld(provider.environment));
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString());
      done();
    },
  });
  const environment = { ...provider.environment, JWKS_HOSTS: 'id.example' };
  server = await closing(startApi(environment, {}, createLog({ level: 'trace' }, sink)));
  const { tenantId, planId } = await seedTenant(world);
  const { tenantId: platformId } = await seedTenant(world);
  await emOf(world, platformId).execute("update tenant set type = 'PLATFORM' where id = ?", [platformId]);
  // The last owner of a tenant cannot be reset.
  await seedStaff(world, tenantId);
  Object.assign(kept, { tenantId, planId, platformId, newTenantId: `${tenantId.slice(0, -1)}_N` });
});

function tokenOf(by: WalkStep['by']): string {
  const { tenantId = '', platformId = '', memberToken = '' } = kept;
  if (by === 'nobody') return '';
  if (by === 'member') return memberToken;
  const own = by === 'platform' ? platformId : tenantId;
  return world.services.tokens.sign({ kind: 'STAFF', tenantId: own, staffId: 'eve', role: 'OWNER' }, 900);
}

/** Runs a step, and keeps what it names of the answer. */
async function run({ mutation, by, input, keeps = {} }: WalkStep): Promise<void> {
  const [argument] = present(mutations[mutation], mutation).args;
  const selections = Object.values(keeps).map((path) => selectionOf(path.split('.')));
  const query = `mutation ($input: ${String(argument?.type)}) {
    ${mutation}(input: $input) { ${selections.join(' ')} errors { code message } } }`;
  const variables = { input: await input(kept, world) };
  const token = tokenOf(by);
  const answer = await graphqlRequest(server.address, {
    query,
    variables,
    ...(token !== '' && { token }),
    headers: { 'x-request-id': `walk-${mutation}`, 'x-product-code': 'DEMO' },
  });
  const payload = answer.data?.[mutation] as Record<string, unknown> | undefined;
  expect([mutation, answer.errors, payload?.['errors']]).toEqual([mutation, undefined, []]);
  for (const [name, path] of Object.entries(keeps)) kept[name] = String(valueAt(payload, path.split('.')));
}

function selectionOf([name = '', ...rest]: readonly string[]): string {
  const [next] = rest;
  return next === undefined || /^\d+$/.test(next) ? name : `${name} { ${selectionOf(rest)} }`;
}

const valueAt = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((inner, name) => (inner as Record<string, unknown>)[name], value);

/** What a person does in the browser between two steps, and a device that signs in. */
async function prepare({ mutation }: WalkStep): Promise<void> {
  const { tenantId = '' } = kept;
  if (mutation === 'completeStaffOidc') {
    const { authorizationUrl, flowToken } = await world.services.staffOidc.begin(tenantId);
    const callbackUrl = provider.signIn(authorizationUrl, { email: 'walk@example.com' });
    Object.assign(kept, { flowToken, callbackUrl });
  }
  if (mutation === 'createDeviceLinkCode') {
    const device = await world.services.deviceLogins.login(
      { tenantId, ip: '127.0.0.1' },
      { identifier: 'walk' },
    );
    kept['deviceId'] = device.deviceId;
  }
}

it('X.10 writes one entry for each mutation of staff, in the tenant of the caller, and whole chains', async () => {
  const { tenantId = '', platformId = '' } = kept;
  for (const step of STAFF_WALK) {
    const chain = step.by === 'platform' ? platformId : tenantId;
    await prepare(step);
    const before = await entriesOf(world, chain);
    await run(step);
    const [entry, ...others] = (await entriesOf(world, chain)).slice(before.length);
    expect([step.mutation, others.map(({ operation }) => operation)]).toEqual([step.mutation, []]);
    expect(entry).toMatchObject({
      operation: step.mutation,
      actorKind: 'STAFF',
      requestId: `walk-${step.mutation}`,
      ip: '127.0.0.1',
    });
    // What it is about, and not just who did it.
    expect([step.mutation, entry?.targetId]).not.toEqual([step.mutation, 'eve']);
  }
  for (const chain of [tenantId, platformId]) expect(await findingsOf(world, chain)).toEqual([]);
  expect(lines.filter((line) => line.includes('is not in the audit log'))).toEqual([]);
});

it('X.10 walks over every mutation that staff may run', () => {
  const rules = modules.permissions.mutation ?? {};
  const walked = new Set(STAFF_WALK.map(({ mutation }) => mutation));
  const missing = Object.entries(rules)
    .filter(([, rule]) => rule === 'PUBLIC' || 'STAFF' in rule || 'PARTNER' in rule)
    .map(([name]) => name)
    .filter((name) => !walked.has(name) && UNRECORDED[name] === undefined && !OF_USERS.has(name));
  expect(missing).toEqual([]);
});

it('X.10 writes an entry of a file of codes, whichever way it goes', async () => {
  const { tenantId = '' } = kept;
  const tenant = { tenantId, planId: kept['planId'] ?? '' };
  const { campaignId } = await seedCampaign(world, tenant, 1);
  const key = { campaignId, idempotencyKey: 'walk' };
  const { id: importId } = await world.services.codeImports.begin(tenantId, key);
  const { id: codeId } = await emOf(world, tenantId).findOneOrFail(Code, { campaignId });
  const calls: [path: string, operation: string, target: string, body?: string][] = [
    [`/api/imports/${importId}`, 'PUT /api/imports/:id', `code_import ${importId}`, 'code\nWALKWALK1234\n'],
    [`/api/codes.csv?campaignId=${campaignId}`, 'GET /api/codes.csv', `campaign ${campaignId}`],
    [`/api/codes.qr.zip?campaignId=${campaignId}`, 'GET /api/codes.qr.zip', `campaign ${campaignId}`],
    [`/api/codes.qr.html?campaignId=${campaignId}`, 'GET /api/codes.qr.html', `campaign ${campaignId}`],
    [`/api/codes/${codeId}/qr.svg`, 'GET /api/codes/:id/qr.svg', `code ${codeId}`],
  ];
  for (const [path, operation, target, body] of calls) {
    const before = await entriesOf(world, tenantId);
    const reply = await fileRequest(server.address, tokenOf(undefined), path, body);
    await reply.arrayBuffer();
    expect([path, reply.ok]).toEqual([path, true]);
    const entries = (await entriesOf(world, tenantId)).slice(before.length);
    expect(entries.map((entry) => [entry.operation, `${entry.targetType} ${entry.targetId}`])).toEqual([
      [operation, target],
    ]);
  }
});

it('X.10 writes an entry of each way into the console, and of the way out', async () => {
  const { tenantId } = await seedTenant(world);
  const { staffId, email } = await seedStaff(world, tenantId);
  const link = async (): Promise<string> => world.services.consoleLinks.create({ tenantId, staffId }, 60);
  const post = async (path: string, body: object, token = ''): Promise<string> => {
    const reply = await fetch(`${server.address}/console/session${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        origin: server.address,
        ...(token !== '' && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    });
    expect([path, reply.status]).toEqual([path, 200]);
    const { accessToken } = (await reply.json()) as { accessToken?: string };
    return accessToken ?? '';
  };
  const token = await post('', { tenantId, email, password: PASSWORD });
  await post('/link', { token: await link() });
  await post('/end', {}, token);
  const by = { actorKind: 'STAFF', actorId: staffId, actorRole: 'OWNER', targetId: staffId };
  expect(await entriesOf(world, tenantId)).toMatchObject([
    { ...by, operation: 'POST /console/session', targetType: 'staff' },
    { ...by, operation: 'POST /console/session/link', targetType: 'staff' },
    { ...by, operation: 'POST /console/session/end', targetType: 'staff' },
  ]);
});

/** Routes without a token that sign no member of staff in. */
const NO_SIGN_INS = new Set([
  'POST /api/payments/callback',
  'POST /console/session/refresh',
  'POST /console/session/end',
]);

it('X.10 knows of each route without a token whether it signs staff in', () => {
  const rules = modules.permissions.http ?? {};
  const unknown = world.app.routes
    .filter(({ method, path }) => method !== 'GET' && rules[`${method} ${path}`] === 'PUBLIC')
    .filter(
      ({ method, path, signsStaffIn }) => signsStaffIn !== true && !NO_SIGN_INS.has(`${method} ${path}`),
    );
  expect(unknown.map(({ path }) => path)).toEqual([]);
});

it('X.10 I9 leaves no secret of any mutation in the log of the audit, nor in that of the process', async () => {
  const { tenantId = '', platformId = '' } = kept;
  const rows = JSON.stringify([
    ...(await entriesOf(world, tenantId)),
    ...(await entriesOf(world, platformId)),
  ]);
  const secrets = Object.entries(kept).filter(([name]) => /token|secret|callbackUrl/i.test(name));
  expect(secrets.length).toBeGreaterThan(15);
  for (const [name, secret] of [...secrets, ['canary', CANARY] as const]) {
    expect([name, rows.includes(secret)]).toEqual([name, false]);
    expect([name, lines.some((line) => line.includes(secret))]).toEqual([name, false]);
  }
});
