import { describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/app/server.js';
import { PartnerOperations } from '../../src/identity/partners/partner-operations.entity.js';
import { startApi } from '../support/api-server.js';
import { graphqlRequest, type GraphqlAnswer } from '../support/graphql-client.js';
import { expectWithin } from '../support/lag.js';
import { openBeforeAll } from '../support/open-before-all.js';
import {
  CREATE_TOKEN,
  hashOf,
  manifestOf,
  persisted,
  register,
  seedKey,
  VIEWER,
} from '../support/partners.js';
import { signedUser, staffToken } from '../support/cluster.js';
import { RawSocket } from '../support/raw-socket.js';
import { emOf, openWorld, seedCampaign, seedTenant, type World } from '../support/world.js';

/** Within which a new list counts everywhere. */
const EFFECTIVE_MS = 1000;
const CODES = 'query Codes($size: Int) { codes(size: $size) { total } }';
const INTROSPECTION = '{ __schema { queryType { name } } }';

let world: World;
let server: RunningServer;
let tenantId: string;
let partnerId: string;
let key: string;

openBeforeAll(async (closing) => {
  world = await closing(openWorld());
  server = await closing(startApi());
  ({ tenantId } = await seedTenant(world));
  ({ partnerId, key } = await seedKey(world, tenantId, { scopes: ['redeem', 'codes:read'] }));
  await register(world, tenantId, partnerId, [VIEWER, CODES, CREATE_TOKEN]);
});

/** What a partner's client may send, over any door. */
type Body = Readonly<Record<string, unknown>>;
type Door = (body: Body, token?: string) => Promise<GraphqlAnswer>;

const doors: Record<string, Door> = {
  POST: async (body, token = key) => graphqlRequest(server.address, { ...body, token }),
  GET: async (body, token = key) => {
    const fields = Object.entries(body).map(([name, value]): [string, string] => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]);
    const search = new URLSearchParams(fields).toString();
    const reply = await fetch(`${server.address}/graphql?${search}`, {
      headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
    });
    return (await reply.json()) as GraphqlAnswer;
  },
  WebSocket: async (body, token = key) => {
    const socket = await RawSocket.ready(server.address, { authorization: `Bearer ${token}` });
    socket.send({ id: '1', type: 'subscribe', payload: body });
    const { type, payload } = await socket.next();
    await socket.close();
    return type === 'next'
      ? (payload as GraphqlAnswer)
      : { errors: payload as NonNullable<GraphqlAnswer['errors']> };
  },
};

const codesOf = ({ errors }: GraphqlAnswer): unknown[] =>
  (errors ?? []).map(({ extensions }) => extensions.code);
const REFUSED = ['OPERATION_NOT_REGISTERED'];

describe.each(Object.keys(doors))('X.6 over %s', (name) => {
  const door: Door = async (body, token) => (doors[name] as Door)(body, token);

  it('X.6 executes a registered operation by its hash, its documentId or its text, first and again', async () => {
    const seen = { data: { viewer: { kind: 'PARTNER', partnerId, scopes: ['codes:read', 'redeem'] } } };
    for (let times = 0; times < 4; times += 1) {
      expect(await door({ extensions: persisted(hashOf(VIEWER)) })).toMatchObject(seen);
      expect(await door({ documentId: hashOf(VIEWER) })).toMatchObject(seen);
      expect(await door({ documentId: `sha256:${hashOf(VIEWER)}` })).toMatchObject(seen);
      expect(await door({ query: VIEWER })).toMatchObject(seen);
      expect(await door({ query: VIEWER, extensions: persisted(hashOf(VIEWER)) })).toMatchObject(seen);
    }
    const counted = { extensions: persisted(hashOf(CODES)), variables: { size: 1 }, operationName: 'Codes' };
    expect(await door(counted)).toMatchObject({ data: { codes: { total: 0 } } });
  });

  it('X.6 executes nothing else: other texts, other hashes, introspection, a text beside the hash of another', async () => {
    const others: Body[] = [
      { query: '{ viewer { kind } }' },
      { query: `${VIEWER} ` },
      { query: `${VIEWER} ${CODES}`, operationName: 'Viewer' },
      { query: INTROSPECTION },
      { query: '{ __typename }' },
      { query: '' },
      { query: INTROSPECTION, extensions: persisted(hashOf(VIEWER)) },
      { query: VIEWER, extensions: persisted(hashOf(INTROSPECTION)) },
      { query: VIEWER, extensions: { persistedQuery: null }, documentId: hashOf(CODES) },
      { query: VIEWER, extensions: { persistedQuery: {} } },
      { extensions: persisted(hashOf(INTROSPECTION)) },
      { documentId: hashOf(VIEWER), extensions: persisted(hashOf(CODES)) },
      { documentId: '__proto__' },
      { documentId: 'constructor' },
    ];
    for (const body of others) expect([body, codesOf(await door(body))]).toEqual([body, REFUSED]);
  });

  it('X.6 serves automatic persisted queries of first-party callers, and none of what they have stored to partners', async () => {
    const text = `query Own { viewer { kind } }`;
    const staff = staffToken(world, tenantId);
    const stored = await doors['POST']?.({ query: text, extensions: persisted(hashOf(text)) }, staff);
    expect(stored).toMatchObject({ data: { viewer: { kind: 'STAFF' } } });
    // Over a socket there are no automatic persisted queries.
    const again = name === 'WebSocket' ? 'POST' : name;
    expect(await doors[again]?.({ extensions: persisted(hashOf(text)) }, staff)).toMatchObject({
      data: { viewer: { kind: 'STAFF' } },
    });
    expect(codesOf(await door({ extensions: persisted(hashOf(text)) }))).toEqual(REFUSED);
  });
});

it('X.6 a partner without a list executes nothing', async () => {
  const bare = await seedKey(world, tenantId);
  for (const door of Object.values(doors))
    expect(codesOf(await door({ query: VIEWER }, bare.key))).toEqual(REFUSED);
});

it('X.6 introspection is executed for a partner that has registered it', async () => {
  const own = await seedKey(world, tenantId);
  await register(world, tenantId, own.partnerId, [INTROSPECTION]);
  for (const door of Object.values(doors))
    expect(await door({ query: INTROSPECTION }, own.key)).toMatchObject({
      data: { __schema: { queryType: { name: 'Query' } } },
    });
});

describe('a new list', () => {
  it('replaces the old one as a whole, on another process within a second, also for an open socket', async () => {
    const own = await seedKey(world, tenantId);
    expect(await register(world, tenantId, own.partnerId, [VIEWER])).toBe(1);
    const socket = await RawSocket.ready(server.address, { authorization: `Bearer ${own.key}` });
    const overSocket = async (id: string, query: string): Promise<unknown> => {
      socket.subscribe(id, query);
      const { type } = await socket.next();
      if (type === 'next') await socket.next();
      return type;
    };
    expect(await overSocket('1', VIEWER)).toBe('next');
    expect(await register(world, tenantId, own.partnerId, [CREATE_TOKEN])).toBe(2);
    const old = async () => codesOf(await graphqlRequest(server.address, { query: VIEWER, token: own.key }));
    await expectWithin(world, EFFECTIVE_MS, async () => expect.poll(old, { interval: 20 }).toEqual(REFUSED));
    expect(await overSocket('2', VIEWER)).toBe('error');
    const variables = { input: { externalUserId: 'alice' } };
    const made = await graphqlRequest(server.address, { query: CREATE_TOKEN, variables, token: own.key });
    expect(made.data).toMatchObject({ createUserToken: { errors: [] } });
    await socket.close();
  });

  it('X.6 ends a subscription that it no longer has, with OPERATION_NOT_REGISTERED, and no other of the socket', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 2);
    const { token } = await signedUser(world, tenant.tenantId);
    const redeemed = async (code = ''): Promise<unknown> => {
      const query = 'mutation ($code: String!) { redeemCode(input: { code: $code }) { status } }';
      const call = { query, variables: { code }, token, headers: { 'x-product-code': 'DEMO' } };
      return (await graphqlRequest(server.address, call)).data?.['redeemCode'];
    };
    const own = await seedKey(world, tenant.tenantId, { scopes: ['redemptions:read'] });
    const kept = 'subscription Kept { redemptionSettled(after: "0") { redemptionId } }';
    const dropped = 'subscription Dropped { redemptionSettled(after: "0") { redemptionId } }';
    await register(world, tenant.tenantId, own.partnerId, [kept, dropped]);
    expect(await redeemed(codes[0])).toEqual({ status: 'COMMITTED' });
    const socket = await RawSocket.ready(server.address, { authorization: `Bearer ${own.key}` });
    socket.subscribe('kept', kept);
    socket.send({ id: 'dropped', type: 'subscribe', payload: { documentId: hashOf(dropped) } });
    const first = [await socket.next(), await socket.next()].map(({ id, type }) => `${id} ${type}`);
    expect(first.toSorted()).toEqual(['dropped next', 'kept next']);
    await register(world, tenant.tenantId, own.partnerId, [kept, VIEWER]);
    const ended = await socket.next();
    expect(ended).toMatchObject({ id: 'dropped', type: 'error' });
    expect(codesOf({ errors: ended.payload } as GraphqlAnswer)).toEqual(REFUSED);
    expect(await redeemed(codes[1])).toEqual({ status: 'COMMITTED' });
    expect(await socket.next()).toMatchObject({ id: 'kept', type: 'next' });
    await socket.close();
  });

  it('X.6 lets no event of a dropped subscription out at the process that took the list, not even the next one', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 1);
    const { token } = await signedUser(world, tenant.tenantId);
    const own = await seedKey(world, tenant.tenantId, { scopes: ['redemptions:read'] });
    const dropped = 'subscription Dropped { redemptionSettled(after: "0") { redemptionId } }';
    await register(world, tenant.tenantId, own.partnerId, [dropped]);
    const socket = await RawSocket.ready(server.address, { authorization: `Bearer ${own.key}` });
    socket.subscribe('dropped', dropped);
    const manifest = manifestOf([VIEWER]);
    const replaced = await graphqlRequest(server.address, {
      query:
        'mutation ($input: RegisterOperationsInput!) { registerOperations(input: $input) { errors { code } } }',
      variables: { input: { partnerId: own.partnerId, manifest } },
      token: staffToken(world, tenant.tenantId),
    });
    expect(replaced.data).toEqual({ registerOperations: { errors: [] } });
    const query = 'mutation ($code: String!) { redeemCode(input: { code: $code }) { status } }';
    const call = { query, variables: { code: codes[0] }, token, headers: { 'x-product-code': 'DEMO' } };
    expect((await graphqlRequest(server.address, call)).data?.['redeemCode']).toEqual({
      status: 'COMMITTED',
    });
    expect(await socket.next()).toMatchObject({ id: 'dropped', type: 'error' });
    await socket.close();
  });

  it('is refused with the name of the operation at fault, and the old one stays', async () => {
    const bad: [string, string, string][] = [
      ['Broken', 'query Broken { codes { total }', 'Broken'],
      ['Unknown', 'query Unknown { noSuchField }', 'Unknown'],
      ['Deep', `query Deep { ${'codes { items { batch '.repeat(20)}`, 'Deep'],
      ['Two', 'query Two { viewer { kind } } query Three { viewer { kind } }', 'Two'],
      ['Renamed', 'query Another { viewer { kind } }', 'Renamed'],
      [
        'Costly',
        `query Costly { ${Array.from({ length: 14 }, (_, at) => `a${at}: codes(size: 500) { items { id text status } }`).join(' ')} }`,
        'Costly',
      ],
    ];
    const before = await emOf(world, tenantId).findOneOrFail(PartnerOperations, { partnerId });
    for (const [name, body, named] of bad) {
      const operations = [
        { id: 'fine', name: 'Viewer', type: 'query', body: VIEWER },
        { id: 'faulty', name, type: 'query', body },
      ];
      const manifest = JSON.stringify({ format: 'apollo-persisted-query-manifest', version: 1, operations });
      const refused = world.services.registeredOperations.register(tenantId, 'eve', { partnerId, manifest });
      await expect(refused).rejects.toMatchObject({
        code: 'OPERATION_NOT_ALLOWED',
        message: expect.stringContaining(`The operation ${named} `) as unknown,
      });
    }
    const after = await emOf(world, tenantId).findOneOrFail(PartnerOperations, { partnerId });
    expect(after.version).toBe(before.version);
    expect(codesOf(await graphqlRequest(server.address, { query: VIEWER, token: key }))).toEqual([]);
  });

  it('is one of two that are uploaded at once, never a mixture, and each has its version', async () => {
    const own = await seedKey(world, tenantId);
    const lists = [[VIEWER], [CODES], [CREATE_TOKEN], [VIEWER, CODES]];
    const versions = await Promise.all(
      lists.map(async (texts) => register(world, tenantId, own.partnerId, texts)),
    );
    expect(new Set(versions)).toEqual(new Set([1, 2, 3, 4]));
    const last = lists[versions.indexOf(4)] ?? [];
    const where = { partnerId: own.partnerId };
    const row = await emOf(world, tenantId).findOneOrFail(PartnerOperations, where, {
      populate: ['operations'],
    });
    expect(row.operations.map(({ text }) => text)).toEqual(last);
    const stale = { partnerId: own.partnerId, manifest: manifestOf([VIEWER]), expectedVersion: 3 };
    await expect(world.services.registeredOperations.register(tenantId, 'eve', stale)).rejects.toMatchObject({
      code: 'VERSION_CONFLICT',
    });
  });
});
