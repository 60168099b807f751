import { createHash } from 'node:crypto';
import pLimit from 'p-limit';
import { describe, expect, it } from 'vitest';
import { modules } from '../../src/app/modules.js';
import { buildRedeemkitSchema } from '../../src/app/schema.js';
import type { RunningServer } from '../../src/app/server.js';
import type { Actor } from '../../src/graphql/actor.js';
import { JUDGES_ACCESS } from '../../src/graphql/field-marks.js';
import type { HttpRoute } from '../../src/graphql/http-route.js';
import { present } from '../../src/platform/assert.js';
import { systemEm } from '../../src/platform/database/orm.js';
import { startApi } from '../support/api-server.js';
import { graphqlRequest, type GraphqlAnswer } from '../support/graphql-client.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { startOwnStores } from '../support/own-stores.js';
import { RawSocket } from '../support/raw-socket.js';
import { rootFields, type RootField } from '../support/root-fields.js';
import type { WalkCaller, WalkOperation } from '../support/walk-caller.js';
import { PROBE, signed, WALK_CALLERS } from '../support/walk-callers.js';
import {
  openWorld,
  redeem,
  seedCampaign,
  seedTenant,
  seedUser,
  type SeededTenant,
  type World,
} from '../support/world.js';

const AT_ONCE = 8;
/** Written by every process as long as it runs. */
const ALIVE = { tables: new Set(['process_node']), keys: /^(?:health|apq:)/ };

let world: World;
let server: RunningServer;
let callers: readonly WalkCaller[];
const schema = buildRedeemkitSchema();
const fields = rootFields(schema, PROBE);
const rules = modules.permissions;

openBeforeAll(async (closing) => {
  const stores = await closing(startOwnStores());
  world = await closing(openWorld({}, stores));
  server = await closing(startApi({}, stores));
  const tenantId = 'P_WALK';
  await world.services.tenants.create({ id: tenantId, name: 'Platform', type: 'PLATFORM' });
  callers = (
    await Promise.all(Object.values(WALK_CALLERS).map(async (make) => make(world, tenantId)))
  ).flat();
});

/** All that is stored, in both stores. */
async function stored(): Promise<unknown> {
  const em = systemEm(world.stores.orm);
  const tables = await em.execute<{ name: string }[]>(
    'select table_name as name from information_schema.tables where table_schema = database() order by table_name',
  );
  const names = tables.map(({ name }) => name).filter((name) => !ALIVE.tables.has(name));
  const sums = await em.execute(`checksum table ${names.map((name) => `\`${name}\``).join(', ')}`);
  const keys = (await world.stores.redis.keys('*')).filter((key) => !ALIVE.keys.test(key)).toSorted();
  const values = await Promise.all(
    keys.map(async (key) =>
      createHash('md5')
        .update((await world.stores.redis.dumpBuffer(key)) ?? '')
        .digest('hex'),
    ),
  );
  return { sums, keys: keys.map((key, at) => [key, values[at]]) };
}

function operationOf({ kind, name }: RootField): WalkOperation {
  const types = {
    query: schema.getQueryType(),
    mutation: schema.getMutationType(),
    subscription: schema.getSubscriptionType(),
  };
  const judgesAccess = types[kind]?.getFields()[name]?.extensions['access'] === JUDGES_ACCESS.access;
  return { rule: present(rules[kind]?.[name], `The row of ${name}`), judgesAccess };
}

/** The one reason in an answer: at the top, or in the payload of an operation that has a code for it. */
function codeIn({ data, errors }: GraphqlAnswer, name: string): string | null {
  if (errors !== undefined) return errors.map(({ extensions }) => extensions.code).join();
  const payload = data?.[name] as { errors?: { code: string }[] } | null | undefined;
  return payload?.errors?.map(({ code }) => code).join() ?? null;
}

async function overHttp({ token }: WalkCaller, { document, name }: RootField): Promise<string | null> {
  const headers = { 'x-product-code': 'DEMO' };
  const answer = await graphqlRequest(server.address, {
    query: document,
    headers,
    ...(token !== null && { token }),
  });
  return codeIn(answer, name);
}

/** Every denied operation over one socket. */
async function overSocket(caller: WalkCaller, denied: readonly RootField[]): Promise<(string | null)[]> {
  const headers = caller.token === null ? {} : { authorization: `Bearer ${caller.token}` };
  const socket = await RawSocket.ready(server.address, { ...headers, 'x-product-code': 'DEMO' });
  const codes: (string | null)[] = [];
  for (const [at, { document, name }] of denied.entries()) {
    socket.subscribe(String(at), document);
    const message = (await socket.next()) as { type: string; payload: unknown };
    codes.push(
      codeIn(
        message.type === 'error' ? { errors: message.payload as [] } : (message.payload as object),
        name,
      ),
    );
    if (message.type === 'next') await socket.next();
  }
  await socket.close();
  return codes;
}

const isRoute = ({ method, path }: HttpRoute, name: string): boolean => `${method} ${path}` === name;

const UNPROVED = new Set(['UNAUTHENTICATED', 'SESSION_ENDED', 'API_KEY_REVOKED']);
const isUnproved = (code: string): boolean => UNPROVED.has(code);

const deniedOf = (caller: WalkCaller): RootField[] =>
  fields.filter((field) => caller.denied(operationOf(field)) !== null);

describe('every operation of the schema and every route', () => {
  it('X.22: is denied uniformly over HTTP to each caller who may not use it, and writes nothing', async () => {
    const before = await stored();
    const limit = pLimit(AT_ONCE);
    let count = 0;
    const found = await Promise.all(
      callers.flatMap((caller) =>
        deniedOf(caller)
          .filter(({ kind }) => kind !== 'subscription')
          .map(async (field) =>
            limit(async () => {
              count += 1;
              const [expected, code] = [caller.denied(operationOf(field)), await overHttp(caller, field)];
              return code === expected
                ? []
                : [`${caller.name}: ${field.name} answers ${code}, not ${expected}`];
            }),
          ),
      ),
    );
    expect(found.flat()).toEqual([]);
    expect(count).toBeGreaterThan(1000);
    expect(await stored()).toEqual(before);
  });

  it('X.22: is denied the same over a WebSocket, or the socket is closed with 4403, and writes nothing', async () => {
    const before = await stored();
    const found = await Promise.all(
      callers.map(async (caller) => {
        if (caller.hasNoSocket) {
          const opened = RawSocket.ready(server.address, { authorization: `Bearer ${caller.token}` });
          return opened.then(
            () => [`${caller.name}: the socket was opened`],
            (error: unknown) => (String(error).includes('4403') ? [] : [`${caller.name}: ${String(error)}`]),
          );
        }
        const denied = deniedOf(caller);
        const codes = await overSocket(caller, denied);
        return denied.flatMap((field, at) =>
          codes[at] === caller.denied(operationOf(field))
            ? []
            : [`${caller.name}: ${field.name} answers ${codes[at]}`],
        );
      }),
    );
    expect(found.flat()).toEqual([]);
    expect(await stored()).toEqual(before);
  });

  it('X.22: is denied uniformly by the HTTP routes', async () => {
    const before = await stored();
    const found: string[] = [];
    for (const caller of callers)
      for (const [route, rule] of Object.entries(rules.http ?? {})) {
        const judgesAccess = world.app.routes.some(
          (each) => isRoute(each, route) && each.judgesAccess === true,
        );
        const expected = caller.denied({ rule, judgesAccess });
        if (expected === null) continue;
        const [method = '', path = ''] = route.replaceAll(/:\w+/g, '5').split(' ');
        const headers = {
          ...(caller.token !== null && { authorization: `Bearer ${caller.token}` }),
          ...(method === 'POST' && { 'content-type': 'application/json', 'x-product-code': 'DEMO' }),
          ...(method === 'PUT' && { 'content-type': 'text/csv' }),
        };
        const body = method === 'POST' ? '{"code":"ABCDEFGH23456789"}' : 'code\n';
        const init = { method, headers, ...(method !== 'GET' && { body }) };
        const reply = await fetch(new URL(path, server.address), init);
        const { errors } = (await reply.json()) as {
          errors: { code?: string; extensions?: { code: string } }[];
        };
        const code = errors.map((error) => error.code ?? error.extensions?.code).join();
        const status = isUnproved(expected) ? 401 : 403;
        if (code !== expected || reply.status !== status)
          found.push(`${caller.name}: ${route} answers ${reply.status} ${code}, not ${expected}`);
      }
    expect(found).toEqual([]);
    expect(await stored()).toEqual(before);
  });

  it('is open to each caller whom its row permits: no resolver asks for more', async () => {
    const limit = pLimit(AT_ONCE);
    const found = await Promise.all(
      callers.flatMap((caller) =>
        fields
          .filter((field) => field.kind !== 'subscription' && caller.denied(operationOf(field)) === null)
          .map(async (field) =>
            limit(async () => {
              const code = await overHttp(caller, field);
              const isDenied =
                code === 'FORBIDDEN' || code === 'UNAUTHENTICATED' || code === 'INTERNAL_SERVER_ERROR';
              return isDenied ? [`${caller.name}: ${field.name} answers ${code}`] : [];
            }),
          ),
      ),
    );
    expect(found.flat()).toEqual([]);
  });

  it('finds nothing of another tenant by its ids: they answer as ids that do not exist', async () => {
    const tenant = await seedTenant(world);
    const ids = await idsOf(tenant);
    const other = await seedTenant(world);
    const owner: Actor = { kind: 'STAFF', tenantId: other.tenantId, staffId: 's', role: 'OWNER' };
    const user: Actor = {
      kind: 'USER',
      tenantId: other.tenantId,
      userId: await seedUser(world, other.tenantId),
    };
    const before = await rowsOf(tenant.tenantId);
    for (const caller of [signed(world, 'an owner', owner), signed(world, 'a user', user)]) {
      const unknown = await answersFor(caller, world.services.ids.next());
      for (const id of ids) expect(await answersFor(caller, id)).toEqual(unknown);
    }
    expect(await rowsOf(tenant.tenantId)).toEqual(before);
  });
});

/** Ids of rows of a tenant: of its campaign, batch, code, plan, user, redemption and order. */
async function idsOf(tenant: SeededTenant): Promise<string[]> {
  const { tenantId, planId } = tenant;
  const { campaignId, codes } = await seedCampaign(world, tenant, 1);
  const userId = await seedUser(world, tenantId);
  const { orderNo } = await redeem(world, tenantId, userId, codes[0] ?? '');
  const [code] = await systemEm(world.stores.orm).execute<{ id: string; batchId: string }[]>(
    'select cast(id as char) as id, cast(batch_id as char) as batchId from code where tenant_id = ?',
    [tenantId],
  );
  const { id, batchId } = present(code, 'The code');
  return [campaignId, batchId, id, planId, userId, present(orderNo, 'The redemption')];
}

/** What a caller is told by every operation that it may use and that takes a text, where all texts are this one. */
async function answersFor(caller: WalkCaller, text: string): Promise<unknown[]> {
  const limit = pLimit(AT_ONCE);
  const asked = fields.filter(
    (field) =>
      field.kind !== 'subscription' &&
      field.document.includes(PROBE) &&
      caller.denied(operationOf(field)) === null,
  );
  return Promise.all(
    asked.map(async ({ name, document }) =>
      limit(async () => {
        const query = document.replaceAll(PROBE, text);
        const headers = { 'x-product-code': 'DEMO' };
        const call = { query, headers, token: caller.token ?? '' };
        const { data, errors } = await graphqlRequest(server.address, call);
        return [name, data?.[name] ?? null, errors?.map(({ extensions }) => extensions.code)];
      }),
    ),
  );
}

/** What the tables hold of a tenant. */
async function rowsOf(tenantId: string): Promise<unknown> {
  const em = systemEm(world.stores.orm);
  const tables = await em.execute<{ name: string }[]>(
    `select table_name as name from information_schema.columns
     where table_schema = database() and column_name = 'tenant_id' order by table_name`,
  );
  return Promise.all(
    tables.map(async ({ name }) => [
      name,
      await em.execute(`select * from \`${name}\` where tenant_id = ? order by 1, 2`, [tenantId]),
    ]),
  );
}
