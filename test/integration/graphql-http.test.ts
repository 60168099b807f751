import { connect } from 'node:net';
import { once } from 'node:events';
import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graphqlRequest } from '../support/graphql-client.js';
import { startTransport, USER, type TransportServer } from '../support/transport-server.js';

let transport: TransportServer;
let url: string;

beforeAll(async () => {
  transport = await startTransport();
  url = transport.url;
});
afterAll(async () => transport?.close());

/** A GET that a page elsewhere could make a browser send is refused; the audits send none of the headers that prevent it. */
const NO_GET_WITHOUT_PREFLIGHT = [
  'notice: MAY accept application/x-www-form-urlencoded formatted GET requests',
  'notice: MAY allow URL-encoded JSON string {variables} parameter in GETs when accepting application/graphql-response+json',
  'notice: MAY allow URL-encoded JSON string {variables} parameter in GETs when accepting application/json',
];
/** A document that cannot run is answered by a 4xx for every media type, so that proxies and logs see it too. */
const NO_SUCCESS_FOR_A_REFUSED_DOCUMENT = [
  'warn: SHOULD use 200 status code on document parsing failure when accepting application/json',
  'warn: SHOULD use 200 status code on document validation failure when accepting application/json',
  'warn: SHOULD use a status code of 200 on variable coercion failure when accepting application/json',
];

interface Reply {
  readonly status: number;
  readonly code: string | undefined;
  readonly text: string;
}

async function post(
  body: string | Buffer<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<Reply> {
  return read(
    await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    }),
  );
}

async function read(reply: Response): Promise<Reply> {
  const text = await reply.text();
  const { errors } = JSON.parse(text) as { errors?: { extensions?: { code?: string } }[] };
  return { status: reply.status, code: errors?.[0]?.extensions?.code, text };
}

async function contextSeen(
  headers: Record<string, string>,
  token?: string,
): Promise<Record<string, unknown>> {
  const call = { query: '{ context }', headers, ...(token === undefined ? {} : { token }) };
  const { data } = await graphqlRequest<{ context: string }>(url, call);
  return JSON.parse(data?.context ?? '{}') as Record<string, unknown>;
}

describe('GraphQL over HTTP', () => {
  it('passes the audits of the GraphQL-over-HTTP specification, but for what is refused on purpose', async () => {
    const audits = serverAudits({ url: `${url}/graphql`, fetchFn: fetch });
    const failed: string[] = [];
    for (const audit of audits) {
      const result = await audit.fn();
      if (result.status !== 'ok') failed.push(`${result.status}: ${audit.name}`);
    }
    expect(audits.length).toBeGreaterThan(50);
    expect(failed.toSorted()).toEqual([...NO_GET_WITHOUT_PREFLIGHT, ...NO_SUCCESS_FOR_A_REFUSED_DOCUMENT]);
  });

  it.each([
    ['text that is no JSON', '{"query": ', 400, 'BAD_REQUEST'],
    ['an empty body', '', 400, 'BAD_REQUEST'],
    ['JSON null', 'null', 400, 'BAD_REQUEST'],
    ['an empty object', '{}', 400, 'BAD_REQUEST'],
    ['an array, because batches are off', '[{"query":"{ __typename }"}]', 400, 'BAD_REQUEST'],
    ['a prototype in the JSON', '{"query":"{ __typename }","__proto__":{"x":1}}', 400, 'BAD_REQUEST'],
    ['a query that is no text', '{"query":{"a":1}}', 400, 'BAD_REQUEST'],
    ['variables as text', '{"query":"{ __typename }","variables":"{}"}', 400, 'BAD_REQUEST'],
    [
      'a wrong operation name',
      '{"query":"query A { __typename }","operationName":"B"}',
      400,
      'OPERATION_RESOLUTION_FAILURE',
    ],
    [
      'no operation name where two are',
      '{"query":"query A { __typename } query B { __typename }"}',
      400,
      'OPERATION_RESOLUTION_FAILURE',
    ],
    ['a syntax error', '{"query":"{"}', 400, 'GRAPHQL_PARSE_FAILED'],
    ['an unknown field', '{"query":"{ nothing }"}', 400, 'GRAPHQL_VALIDATION_FAILED'],
    ['a missing variable', '{"query":"query ($t: String!) { echo(text: $t) }"}', 400, 'BAD_USER_INPUT'],
  ])('answers %s by a 4xx and its code', async (_name, body, status, code) => {
    expect(await post(body)).toMatchObject({ status, code });
  });

  it('answers 400 to a body that is not UTF-8, and takes the same text in UTF-8', async () => {
    const text = JSON.stringify({
      query: 'query ($t: String!) { echo(text: $t) }',
      variables: { t: 'd\u00e9j\u00e0' },
    });
    const latin1 = await post(Buffer.from(text, 'latin1'));
    expect(latin1).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
    expect(latin1.text).toContain('The body is not UTF-8.');
    const utf8 = await post(text);
    expect([utf8.status, JSON.parse(utf8.text)]).toEqual([200, { data: { echo: 'd\u00e9j\u00e0' } }]);
  });

  it('answers 400 to a URL that is not UTF-8, and takes the same text in UTF-8', async () => {
    const query = encodeURIComponent('query ($t: String!) { echo(text: $t) }');
    const get = async (text: string) => {
      const headers = { 'apollo-require-preflight': '1' };
      const reply = await fetch(`${url}/graphql?query=${query}&variables={%22t%22:%22${text}%22}`, {
        headers,
      });
      return [reply.status, await reply.text()];
    };
    expect(await get('d%E9j%E0')).toEqual([400, expect.stringContaining('The URL is not UTF-8.')]);
    expect(await get('d%C3%A9')).toEqual([200, expect.stringContaining('{"echo":"d\u00e9"}')]);
    expect(await get('100%')).toEqual([200, expect.stringContaining('{"echo":"100%"}')]);
  });

  it('names the keys that a body may not have', async () => {
    const { text } = await post('{"variables":{"constructor":{"prototype":1}}}');
    expect(text).toMatch(/__proto__.*constructor.*prototype/);
  });

  it('answers 413 to a body above the limit, and takes one just below it', async () => {
    const frame = JSON.stringify({ query: '{ __typename }', variables: { pad: '' } }).length;
    const body = (bytes: number) =>
      JSON.stringify({ query: '{ __typename }', variables: { pad: 'x'.repeat(bytes - frame) } });
    expect(await post(body(262_144))).toMatchObject({ status: 200 });
    expect(await post(body(262_145))).toMatchObject({ status: 413, code: 'REQUEST_TOO_LARGE' });
  });

  it.each([
    'text/plain',
    'application/xml',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
  ])('answers 415 to the content type %s', async (type) => {
    const reply = await post('{"query":"{ __typename }"}', { 'content-type': type });
    expect(reply).toMatchObject({ status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' });
  });

  it('runs queries by GET, but no mutation, and nothing that a page elsewhere could make a browser send', async () => {
    const get = async (query: string, headers = {}) =>
      read(await fetch(`${url}/graphql?query=${encodeURIComponent(query)}`, { headers }));
    const preflighted = { 'content-type': 'application/json' };
    expect(await get('{ __typename }', preflighted)).toMatchObject({ status: 200 });
    expect(await get('mutation { touch }', preflighted)).toMatchObject({ status: 405, code: 'BAD_REQUEST' });
    expect(await get('{ __typename }')).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
  });

  it('carries every character unharmed, and refuses none', async () => {
    const text = 'ä 漢字 👩‍👩‍👧 \u0000 \u2028 "\\" \uFEFF é é';
    const { data } = await graphqlRequest(url, {
      query: 'query ($t: String!) { echo(text: $t) }',
      variables: { t: text },
    });
    expect(data).toEqual({ echo: text });
    const inline = await graphqlRequest(url, { query: '{ echo(text: "漢字 👩‍👩‍👧") }' });
    expect(inline.data).toEqual({ echo: '漢字 👩‍👩‍👧' });
  });

  it.each([
    ['PUT', '/graphql', 405, 'GET, POST'],
    ['DELETE', '/graphql', 405, 'GET, POST'],
    ['POST', '/healthz', 405, 'GET, HEAD'],
    ['DELETE', '/', 405, 'GET, HEAD'],
    ['OPTIONS', '/readyz', 405, 'GET, HEAD'],
    ['GET', '/elsewhere', 404, null],
    ['POST', '/elsewhere/graphql', 404, null],
  ])('answers %s %s with %i in the form of every other error', async (method, path, status, allow) => {
    const reply = await fetch(`${transport.url}${path}`, { method });
    expect([reply.status, reply.headers.get('allow')]).toEqual([status, allow]);
    const { errors } = (await reply.json()) as { errors: { extensions: unknown }[] };
    expect(errors.map(({ extensions }) => extensions)).toEqual([{ code: 'BAD_REQUEST' }]);
  });

  it('answers 4xx to a host header that is no host, and closes nothing else', async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write(
      'POST /graphql HTTP/1.1\r\nhost: a b\r\ncontent-type: application/json\r\ncontent-length: 26\r\nconnection: close\r\n\r\n{"query":"{ __typename }"}',
    );
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    expect(chunk.toString()).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('hands resolvers the headers, the address and the signed-in user', async () => {
    const headers = {
      'x-product-code': 'APP_A',
      'x-device-id': 'device-1',
      'idempotency-key': 'key-1',
      'x-request-id': 'request-12345',
      'x-forwarded-for': '203.0.113.9',
    };
    expect(await contextSeen(headers, transport.tokens.sign(USER, 60))).toEqual({
      actor: USER,
      productCode: 'APP_A',
      deviceId: 'device-1',
      idempotencyKey: 'key-1',
      ip: '127.0.0.1',
      requestId: 'request-12345',
    });
    expect(await contextSeen({})).toMatchObject({
      actor: null,
      productCode: null,
      deviceId: null,
      idempotencyKey: null,
    });
  });

  it('names each request in the reply, by a new id where the given one is not fit for a log', async () => {
    const { headers } = await graphqlRequest(url, {
      query: '{ __typename }',
      headers: { 'x-request-id': 'a b\tc"d' },
    });
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each([
    ['false', '203.0.113.9', '127.0.0.1'],
    ['true', '10.9.9.9, 203.0.113.9', '203.0.113.9'],
    ['2', '10.9.9.9, 203.0.113.9, 198.51.100.7', '203.0.113.9'],
    ['loopback', '10.9.9.9, 203.0.113.9', '203.0.113.9'],
    ['10.0.0.0/8', '203.0.113.9', '127.0.0.1'],
  ])('with TRUST_PROXY=%s and "%s" the caller is %s', async (setting, forwarded, ip) => {
    const behind = await startTransport({ environment: { TRUST_PROXY: setting } });
    const headers = { 'x-forwarded-for': forwarded };
    const { data } = await graphqlRequest<{ context: string }>(behind.url, { query: '{ context }', headers });
    expect(JSON.parse(data?.context ?? '')).toMatchObject({ ip });
    await behind.close();
  });

  it('refuses a header that is too long to name anything', async () => {
    const headers = { 'x-device-id': 'x'.repeat(129) };
    const answer = await graphqlRequest(url, { query: '{ __typename }', headers });
    expect(answer).toMatchObject({ status: 400, errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
  });
});

describe('tokens over HTTP', () => {
  const ask = async (authorization: string) =>
    graphqlRequest(url, { query: '{ echo(text: "x") userOnly }', headers: { authorization } });

  it.each([
    ['no bearer', 'Basic dXNlcjpwYXNz', 'The authorization must have the form `Bearer <token>`.'],
    ['rubbish', 'Bearer rubbish', 'The token is not valid.'],
    ['alg none', 'Bearer eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiI0MiJ9.', 'The token is not valid.'],
  ])('answers UNAUTHENTICATED and runs nothing for %s', async (_name, authorization, message) => {
    const answer = await ask(authorization);
    expect(answer).toMatchObject({
      status: 401,
      errors: [{ message, extensions: { code: 'UNAUTHENTICATED' } }],
    });
    expect(answer.data).toBeUndefined();
  });

  it('says of an expired token that it has expired', async () => {
    let nowMs = Date.UTC(2026, 0, 1);
    const turned = await startTransport({ clock: { nowMs: () => nowMs } });
    const call = { query: '{ userOnly }', token: turned.tokens.sign(USER, 60) };
    expect(await graphqlRequest(turned.url, call)).toMatchObject({ status: 200, data: { userOnly: '42' } });
    nowMs += 60_000;
    expect(await graphqlRequest(turned.url, call)).toMatchObject({
      status: 401,
      errors: [{ message: 'The token has expired. Sign in again.', extensions: { code: 'UNAUTHENTICATED' } }],
    });
    await turned.close();
  });

  it('lets anybody run what is public, and tells the signed-out from the wrong role', async () => {
    const code = async (query: string, token?: string) => {
      const answer = await graphqlRequest(url, { query, ...(token === undefined ? {} : { token }) });
      return answer.errors?.[0]?.extensions.code ?? answer.data;
    };
    const staff = transport.tokens.sign(
      { kind: 'STAFF', tenantId: 'T_1', staffId: 's1', role: 'AUDITOR' },
      60,
    );
    const user = transport.tokens.sign(USER, 60);
    expect(await code('{ echo(text: "x") }')).toEqual({ echo: 'x' });
    expect(await code('{ userOnly }')).toBe('UNAUTHENTICATED');
    expect(await code('{ userOnly }', staff)).toBe('FORBIDDEN');
    expect(await code('{ ownerOnly }', user)).toBe('FORBIDDEN');
    expect(await code('{ ownerOnly }', staff)).toBe('FORBIDDEN');
  });
});
