import { createHash, randomUUID } from 'node:crypto';
import { ApolloServer } from '@apollo/server';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi, type MockInstance } from 'vitest';
import { StoreUnavailableError } from '../../src/platform/errors.js';
import { rateLimited } from '../../src/transport/caller.js';
import { WorkShares } from '../../src/transport/work-shares.js';
import { PLACES, startTransport, USER, type TransportServer } from '../support/transport-server.js';

/** Every request goes to Apollo the first time; what is known afterwards is executed without it. */
let byApollo: MockInstance;
let transport: TransportServer;
let texts = 0;

beforeAll(async () => {
  transport = await startTransport({
    environment: { NODE_ENV: 'production', GRAPHQL_MAX_COST: '2000', INTROSPECTION: 'true' },
  });
});
afterAll(async () => transport?.close());
beforeEach(() => {
  byApollo = vi.spyOn(ApolloServer.prototype, 'executeHTTPGraphQLRequest');
});

interface Call {
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Everything that a client can see of an answer, but for its date. */
async function send({ body, headers = {} }: Call, { url } = transport) {
  const reply = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-request-id': 'request-1', ...headers },
    body: JSON.stringify(body),
  });
  const shown = Object.fromEntries([...reply.headers].filter(([name]) => name !== 'date'));
  return { status: reply.status, headers: shown, text: await reply.text() };
}

/** The same request with a text that was never sent before. */
function fresh(query: string, rest: object = {}): object {
  texts += 1;
  return { query: `${query} #${texts}`, ...rest };
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

async function bothWays(call: Call) {
  const first = await send(call);
  const before = byApollo.mock.calls.length;
  const second = await send(call);
  return { first, second, asksApolloAgain: byApollo.mock.calls.length > before };
}

const signedIn = (): Record<string, string> => ({
  authorization: `Bearer ${transport.tokens.sign(USER, 60)}`,
});
const V = 'query ($text: String!, $deep: Boolean!)';

describe('X.23 an operation that is known is answered without Apollo, byte for byte as by it:', () => {
  const cases: [string, string, object?, Record<string, string>?][] = [
    ['a query', '{ box { name inner { name } } }'],
    ['aliases', '{ a: box { n: name } b: box { inner { n: name, m: name } } }'],
    [
      'a named and an inline fragment',
      '{ box { ...F ... on Box { name } } } fragment F on Box { inner { name } }',
    ],
    ['a variable', 'query ($text: String!) { echo(text: $text) }', { variables: { text: 'ä "\u2028' } }],
    ['a value written out', '{ echo(text: "written out") sized(size: SMALL) }'],
    [
      '@skip',
      `${V} { echo(text: $text) @skip(if: $deep) box { name } }`,
      { variables: { text: 't', deep: true } },
    ],
    ['@include', `${V} { echo(text: $text) @include(if: $deep) }`, { variables: { text: 't', deep: false } }],
    ['a variable that is not declared', '{ box { name } }', { variables: { other: 1 } }],
    ['extensions that say who asks', '{ box { name } }', { extensions: { clientLibrary: { name: 'c' } } }],
    ['no variables', '{ box { name } }', { variables: null, operationName: null }],
    [
      'one of several operations',
      'query A { a: echo(text: "a") } query B { b: box { name } }',
      { operationName: 'B' },
    ],
    ['a page', '{ boxes(size: 25) { total items { name } } }'],
    ['__typename', '{ __typename box { __typename } }'],
    ['a mutation', 'mutation { touch again: touch }'],
    [
      'an input with defaults',
      'mutation ($input: KeyedInput!) { keyed(input: $input) }',
      { variables: { input: {} } },
    ],
    ['a key in the header', 'mutation { keyed(input: {}) }', {}, { 'idempotency-key': 'k-1' }],
    ['what the context says', '{ context }', {}, { 'x-product-code': 'P', 'x-device-id': 'd' }],
    ['a fault beside data', '{ fault box { name } }'],
    ['a fault at two places', '{ a: fault b: fault }'],
    ['a refusal that escaped', '{ escapedRefusal }'],
    ['a store that is away', '{ storeAway }'],
    ['work that waited too long', '{ busy }'],
    ['an error with a status and headers', '{ tooMany box { name } }'],
    ['a value that cannot be written', '{ wrongDecimal }'],
    ['a question about the schema', '{ __schema { queryType { name } types { name } } }'],
    [
      'a question with variables',
      'query ($name: String!) { __type(name: $name) { name fields { name } } }',
      { variables: { name: 'Box' } },
    ],
    [
      'a question with a wrong variable',
      'query ($name: String!) { __type(name: $name) { name } }',
      { variables: { name: 5 } },
    ],
    ['an error that leaves no data', '{ box { name } userOnly }'],
    [
      'null for a variable',
      'mutation ($key: String) { keyed(input: {idempotencyKey: $key}) }',
      { variables: { key: null } },
    ],
    ['a variable that is left out', 'mutation ($key: String) { keyed(input: {idempotencyKey: $key}) }'],
    ['an object of plain fields', '{ box { name inner { name inner { __typename n: name } } } }'],
    ['a page that is too deep', '{ boxes(page: 900000) { total } }'],
  ];
  it.each(cases)('%s', async (_name, query, rest = {}, headers = {}) => {
    const { first, second, asksApolloAgain } = await bothWays({ body: fresh(query, rest), headers });
    expect(second).toEqual(first);
    expect(asksApolloAgain).toBe(false);
  });

  it.each([
    'application/json',
    '*/*',
    'application/graphql-response+json',
    'text/html, application/json;q=0.5',
  ])('for a client that accepts %s', async (accept) => {
    const { first, second, asksApolloAgain } = await bothWays({
      body: fresh('{ box { name } fault }'),
      headers: { accept },
    });
    expect(second).toEqual(first);
    expect(asksApolloAgain).toBe(false);
  });

  it('for a signed-in caller', async () => {
    const call = { body: fresh('{ userOnly context }'), headers: signedIn() };
    const { first, second, asksApolloAgain } = await bothWays(call);
    expect(first.text).toContain('"userOnly":"42"');
    expect(second).toEqual(first);
    expect(asksApolloAgain).toBe(false);
  });

  it('that is named by its hash', async () => {
    const text = `{ box { name } fault } #${randomUUID()}`;
    const extensions = { persistedQuery: { version: 1, sha256Hash: hash(text) } };
    const first = await send({ body: { query: text, extensions } });
    const before = byApollo.mock.calls.length;
    const second = await send({ body: { extensions } });
    expect(second).toEqual(first);
    expect(byApollo.mock.calls.length).toBe(before);
    const wrongVersion = { persistedQuery: { ...extensions.persistedQuery, version: 2 } };
    expect((await send({ body: { extensions: wrongVersion } })).text).toContain(
      'Unsupported persisted query',
    );
  });

  it('with a new request id for each', async () => {
    const call = { body: fresh('{ context }'), headers: { 'x-request-id': '' } };
    const { first, second } = await bothWays(call);
    expect(first.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(second.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(second.headers['x-request-id']).not.toBe(first.headers['x-request-id']);
  });

  it('and logs its faults in the same way', async () => {
    transport.logged.splice(0);
    await bothWays({ body: fresh('{ fault }') });
    const [first, second] = transport.logged.map(({ level, msg, path, requestId }) => ({
      level,
      msg,
      path,
      requestId,
    }));
    expect(first).toMatchObject({ level: 50, requestId: 'request-1', path: ['fault'] });
    expect(second).toEqual(first);
    expect(transport.logged).toHaveLength(2);
  });
});

describe('X.23 Apollo answers, each time the same,', () => {
  const persisted = (text: string) => ({
    extensions: { persistedQuery: { version: 1, sha256Hash: hash(text) } },
  });
  const cases: [string, object, Record<string, string>?][] = [
    ['a text that is no GraphQL', fresh('{ box')],
    ['a field that is not there', fresh('{ nothing }')],
    [
      'a variable of a wrong type',
      fresh('query ($text: String!) { echo(text: $text) }', { variables: { text: 1 } }),
    ],
    ['a variable that is missing', fresh('query ($text: String!) { echo(text: $text) }')],
    [
      'a variable that is wrong inside',
      fresh('mutation ($input: KeyedInput!) { keyed(input: $input) }', {
        variables: { input: { numbers: [1, 'x', null], other: 1 } },
      }),
    ],
    [
      'a question with a variable that does not fit its place',
      fresh('query ($name: String = "Box") { __type(name: $name) { name } }', { variables: { name: null } }),
    ],
    ['variables in a list', fresh('{ box { name } }', { variables: [] })],
    ['variables as text', fresh('{ box { name } }', { variables: '{}' })],
    ['a name of no operation', fresh('query A { box { name } }', { operationName: 'B' })],
    ['no name for several operations', fresh('query A { touch: __typename } query B { __typename }')],
    ['an operation that costs too much', fresh('{ a: boxes(size: 400) { total } }')],
    [
      'too many aliases',
      fresh(`{ ${Array.from({ length: 40 }, (_, at) => `a${at}: __typename`).join(' ')} }`),
    ],
    ['a subscription', fresh('subscription { forever }')],
    [
      'one key for two mutations',
      fresh('mutation { a: keyed(input: {}) b: keyed(input: {}) }'),
      { 'idempotency-key': 'k' },
    ],
    ['a persisted query that is not stored', persisted('{ box { inner { name } } }')],
    ['a hash of another text', { query: '{ box { name } }', ...persisted('{ touch }') }],
    ['extensions as text', fresh('{ box { name } }', { extensions: '{}' })],
    ['a batch', [fresh('{ box { name } }')]],
    ['no text', { query: '' }],
    ['a text that is no text', { query: { kind: 'Document' } }],
    ['a token that is no token', fresh('{ box { name } }'), { authorization: 'Bearer x' }],
    ['a header that is too long', fresh('{ box { name } }'), { 'x-product-code': 'p'.repeat(129) }],
    ['a client that accepts no JSON', fresh('{ box { name } }'), { accept: 'image/png' }],
  ];
  it.each(cases)('%s', async (_name, body, headers = {}) => {
    const { first, second, asksApolloAgain } = await bothWays({ body, headers });
    expect(second).toEqual(first);
    expect(asksApolloAgain).toBe(true);
  });

  it('to a caller whose token has become invalid, also where the operation is known', async () => {
    const body = fresh('{ box { name } }');
    await bothWays({ body, headers: signedIn() });
    const refused = await send({ body, headers: { authorization: 'Bearer gone' } });
    expect([refused.status, JSON.parse(refused.text)]).toMatchObject([
      401,
      { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] },
    ]);
  });

  it('a GET of a known operation', async () => {
    const query = '{ box { name } }';
    await bothWays({ body: { query } });
    const before = byApollo.mock.calls.length;
    const url = `${transport.url}/graphql?query=${encodeURIComponent(query)}`;
    const reply = await fetch(url, { headers: { 'apollo-require-preflight': '1' } });
    expect([reply.status, byApollo.mock.calls.length - before]).toEqual([200, 1]);
  });
});

it('a wrong variable of a known operation is refused before any of it ran', async () => {
  const body = fresh('mutation ($input: KeyedInput!) { touch keyed(input: $input) }', {
    variables: { input: {} },
  });
  await bothWays({ body });
  const wrong = { ...body, variables: { input: { numbers: 'x' } } };
  const { status, text } = await send({ body: wrong });
  expect([status, JSON.parse(text)]).toMatchObject([
    400,
    { errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] },
  ]);
  expect(JSON.parse(text)).not.toHaveProperty('data');
});

it.each([
  ['has to wait', 429, rateLimited('Wait a little.', 1500)],
  ['is given up because a store is away', 500, new StoreUnavailableError('database')],
])(
  'X.23 a question about the schema that %s is refused as by Apollo, byte for byte',
  async (_why, status, error) => {
    const shares = new WorkShares(PLACES);
    const busy = await startTransport({ environment: { INTROSPECTION: 'true' }, shares });
    try {
      await send({ body: { query: '{ box { name } }' } }, busy);
      vi.spyOn(shares, 'enter').mockRejectedValue(error);
      const call = { body: fresh('{ __schema { queryType { name } } }') };
      const first = await send(call, busy);
      const before = byApollo.mock.calls.length;
      expect(await send(call, busy)).toEqual(first);
      expect([first.status, byApollo.mock.calls.length - before]).toEqual([status, 0]);
    } finally {
      await busy.close();
    }
  },
);
