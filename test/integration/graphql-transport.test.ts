import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RawConnection, upgradeRequest } from '../support/raw-connection.js';
import { startTransport, type TransportServer } from '../support/transport-server.js';

let transport: TransportServer;
let url: string;
beforeAll(async () => {
  transport = await startTransport({ environment: { HTTP_REQUEST_TIMEOUT_MS: '1500' } });
  url = transport.url;
});
afterAll(async () => transport?.close());
beforeEach(() => transport.logged.splice(0));

/** What was logged from the level `warn` on. */
const complaints = (): unknown[] => transport.logged.filter(({ level }) => Number(level) >= 40);

interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly head: string;
}

/** Sends bytes as they are, and reads the one answer to them. */
async function ask(bytes: string, to = url): Promise<Answer> {
  const connection = await RawConnection.open(to);
  connection.send(bytes);
  return answerOf(connection);
}

async function answerOf(connection: RawConnection): Promise<Answer> {
  const [, head = '', body = ''] = await connection.answers(/^([^]*?)\r\n\r\n(\{[^]*\})/);
  connection.reset();
  const { errors } = JSON.parse(body) as { errors: { message: string; extensions: { code: string } }[] };
  expect(errors).toHaveLength(1);
  expect(errors[0]?.message.length).toBeGreaterThan(10);
  expect(head).toMatch(/^content-type: application\/(?:graphql-response\+)?json/im);
  return { status: Number(head.split(' ')[1]), code: errors[0]?.extensions.code, head };
}

const request = (line: string, headers: Record<string, string> = {}, body = ''): string =>
  [
    `${line} HTTP/1.1`,
    'host: x',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(body === '' ? [] : [`content-length: ${Buffer.byteLength(body)}`]),
    '',
    body,
  ].join('\r\n');
const JSON_TYPE = { 'content-type': 'application/json' };

describe('a subscription over HTTP', () => {
  const query = 'subscription { forever }';
  it.each([
    '*/*',
    'application/json',
    'application/graphql-response+json',
    'text/event-stream',
    'multipart/mixed; subscriptionSpec=1.0',
    'multipart/mixed, application/json',
    'text/html',
  ])('accepting %s is refused by 400, by POST and by GET, and logged nowhere', async (accept) => {
    const headers = { ...JSON_TYPE, accept };
    const search = `query=${encodeURIComponent(query)}`;
    const answers = [
      await ask(request('POST /graphql', headers, JSON.stringify({ query }))),
      await ask(request(`GET /graphql?${search}`, headers)),
    ];
    for (const { status, code } of answers) {
      expect([status, code]).toEqual([400, 'SUBSCRIPTION_OVER_HTTP']);
    }
    expect(complaints()).toEqual([]);
  });

  it('does not hinder a query in the same document', async () => {
    const both = 'query Q { echo(text: "x") } subscription S { forever }';
    const body = JSON.stringify({ query: both, operationName: 'Q' });
    const reply = await fetch(`${url}/graphql`, { method: 'POST', headers: JSON_TYPE, body });
    expect(await reply.json()).toEqual({ data: { echo: 'x' } });
  });
});

describe('what is no good request', () => {
  const body = '{"query":"{ __typename }"}';
  it.each<[string, string, number, string]>([
    ['bytes that are no HTTP', '\u0016\u0003\u0001\r\n\r\n', 400, 'BAD_REQUEST'],
    ['a request line without a version', 'GET /graphql\r\n\r\n', 400, 'BAD_REQUEST'],
    ['no host', 'GET /graphql HTTP/1.1\r\n\r\n', 400, 'BAD_REQUEST'],
    ['a header without a name', 'GET / HTTP/1.1\r\nhost: x\r\n: y\r\n\r\n', 400, 'BAD_REQUEST'],
    [
      'two lengths',
      'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n',
      400,
      'BAD_REQUEST',
    ],
    [
      'headers that are too long',
      request('GET /', { 'x-pad': 'x'.repeat(20_000) }),
      431,
      'REQUEST_TOO_LARGE',
    ],
    ['a path that cannot be decoded', request('GET /%zz'), 400, 'BAD_REQUEST'],
    ['a tunnel', 'CONNECT example.com:443 HTTP/1.1\r\nhost: x\r\n\r\n', 405, 'BAD_REQUEST'],
    ['an expectation', request('POST /graphql', { ...JSON_TYPE, expect: 'more' }, body), 417, 'BAD_REQUEST'],
    ['OPTIONS', request('OPTIONS /graphql'), 405, 'BAD_REQUEST'],
    ['OPTIONS of everything', request('OPTIONS *'), 404, 'BAD_REQUEST'],
    ['TRACE', request('TRACE /graphql'), 405, 'BAD_REQUEST'],
    ['a method of others', request('PROPFIND /graphql'), 405, 'BAD_REQUEST'],
    ['a POST elsewhere', request('POST /elsewhere', JSON_TYPE, body), 404, 'BAD_REQUEST'],
    [
      'a gzip body',
      request('POST /graphql', { ...JSON_TYPE, 'content-encoding': 'gzip' }, body),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'an unknown encoding',
      request('POST /graphql', { ...JSON_TYPE, 'content-encoding': 'x' }, body),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'another character set',
      request('POST /graphql', { 'content-type': 'application/json; charset=utf-16' }, 'x'),
      400,
      'BAD_REQUEST',
    ],
    ['JSON that is very deep', request('POST /graphql', JSON_TYPE, '['.repeat(100_000)), 400, 'BAD_REQUEST'],
    [
      'a document that is very deep',
      request('POST /graphql', JSON_TYPE, JSON.stringify({ query: '{a'.repeat(50_000) })),
      400,
      'GRAPHQL_PARSE_FAILED',
    ],
    [
      'variables that do not fit',
      request(
        'POST /graphql',
        JSON_TYPE,
        JSON.stringify({ query: 'query ($t: String!) { echo(text: $t) }', variables: { t: [{}] } }),
      ),
      400,
      'BAD_USER_INPUT',
    ],
    [
      'extensions that are none',
      request('POST /graphql', JSON_TYPE, '{"query":"{ __typename }","extensions":[1]}'),
      400,
      'BAD_REQUEST',
    ],
    [
      'a persisted query of another kind',
      request('POST /graphql', JSON_TYPE, '{"extensions":{"persistedQuery":{"version":9,"sha256Hash":{}}}}'),
      400,
      'BAD_USER_INPUT',
    ],
    [
      'a bad token',
      request('POST /graphql', { ...JSON_TYPE, authorization: 'Bearer é' }, body),
      401,
      'UNAUTHENTICATED',
    ],
    [
      'a header that is too long to name anything',
      request('POST /graphql', { ...JSON_TYPE, 'x-device-id': 'x'.repeat(200) }, body),
      400,
      'BAD_USER_INPUT',
    ],
    [
      'nothing acceptable',
      request('POST /graphql', { ...JSON_TYPE, accept: 'image/png' }, body),
      406,
      'BAD_REQUEST',
    ],
    [
      'an upgrade of no version',
      upgradeRequest('/graphql', { 'sec-websocket-version': '7' }),
      400,
      'BAD_REQUEST',
    ],
    [
      'an upgrade with a bad key',
      upgradeRequest('/graphql', { 'sec-websocket-key': 'x' }),
      400,
      'BAD_REQUEST',
    ],
    ['an upgrade elsewhere', upgradeRequest('/x'), 404, 'BAD_REQUEST'],
  ])('%s is answered in the one form, and logged nowhere', async (_name, bytes, status, code) => {
    const answer = await ask(bytes);
    expect([answer.status, answer.code]).toEqual([status, code]);
    expect(complaints()).toEqual([]);
  });

  it('names the methods that there are, and the encoding that is taken', async () => {
    expect((await ask(request('OPTIONS /graphql'))).head).toMatch(/^allow: GET, POST\r?$/im);
    const encoded = request('POST /graphql', { ...JSON_TYPE, 'content-encoding': 'br' }, body);
    expect((await ask(encoded)).head).toMatch(/^accept-encoding: identity\r?$/im);
  });

  it('does not include a request that offers another protocol beside', async () => {
    const offer = {
      ...JSON_TYPE,
      connection: 'Upgrade, HTTP2-Settings',
      upgrade: 'h2c',
      'http2-settings': '',
    };
    const connection = await RawConnection.open(url);
    connection.send(request('POST /graphql', offer, body));
    expect((await connection.answers(/HTTP\/1\.1 (\d+)[^]*__typename/))[1]).toBe('200');
    connection.reset();
  });
});

describe('a client that is slow', () => {
  it.each([
    ['says nothing', '', ''],
    ['never ends its headers', 'POST /graphql HTTP/1.1\r\nhost: x\r\n', 'x-pad: x\r\n'],
    ['never ends its body', request('POST /graphql', { ...JSON_TYPE, 'content-length': '500' }), ' '],
  ])('and %s is answered 408 at the configured time, and cut', async (_name, first, more) => {
    const connection = await RawConnection.open(url);
    const fromMs = performance.now();
    connection.send(first);
    const sending = setInterval(() => connection.send(more), 100);
    const answer = await answerOf(connection);
    const tookMs = performance.now() - fromMs;
    clearInterval(sending);
    expect([answer.status, answer.code]).toEqual([408, 'REQUEST_TIMEOUT']);
    expect(tookMs).toBeGreaterThan(1400);
    // Far less than the default; the server looks each second.
    expect(tookMs).toBeLessThan(10_000);
    expect(complaints()).toEqual([]);
  });

  it('in reading its answer is cut after the configured time, while others are served', async () => {
    const environment = { HTTP_ANSWER_TIMEOUT_MS: '1000', HTTP_BODY_LIMIT_BYTES: '30000000' };
    const answering = await startTransport({ environment });
    const connection = await RawConnection.open(answering.url);
    connection.socket.pause();
    connection.send(echoOf(16_000_000));
    const fromMs = performance.now();
    const other = await RawConnection.open(answering.url);
    other.send(echoOf(10));
    await other.answers(/ 200 [^]*xxxxxxxxxx/);
    other.reset();
    await expect.poll(async () => openCount(answering), { interval: 50 }).toBe(0);
    // Far less than the default.
    expect(performance.now() - fromMs).toBeLessThan(15_000);
    connection.reset();
    await answering.close();
  });

  it('is cut first, where more waits for all of them together than may', async () => {
    const environment = { SEND_BUFFER_TOTAL_BYTES: '20000000', HTTP_BODY_LIMIT_BYTES: '30000000' };
    const answering = await startTransport({ environment });
    const connections = await Promise.all(
      Array.from({ length: 3 }, async () => RawConnection.open(answering.url)),
    );
    for (const connection of connections) {
      connection.socket.pause();
      connection.send(echoOf(16_000_000));
    }
    const warnings = (): number => answering.logged.filter(({ level }) => level === 40).length;
    await expect.poll(warnings, { interval: 50 }).toBe(1);
    await pause(1000);
    // Each has some of its answer in the buffers of the system, and what is left of one is below the limit.
    expect(await openCount(answering)).toBeGreaterThan(0);
    expect(warnings()).toBe(1);
    for (const connection of connections) connection.reset();
    await answering.close();
  });

  it('may have 16 requests wait behind another, and is cut with more', async () => {
    const slow = request('POST /graphql', JSON_TYPE, '{"query":"{ slow }"}');
    const patient = await RawConnection.open(url);
    patient.send(slow.repeat(17));
    await patient.answers(/(?:done[^]*){17}/);
    patient.send(slow.repeat(18));
    await patient.closed;
    expect(patient.received.match(/done/g)).toHaveLength(17);
    expect(complaints()).toEqual([]);
  });
});

const echoOf = (length: number): string =>
  request(
    'POST /graphql',
    JSON_TYPE,
    JSON.stringify({
      query: 'query ($t: String!) { echo(text: $t) }',
      variables: { t: 'x'.repeat(length) },
    }),
  );

async function openCount({ server }: TransportServer): Promise<number> {
  return new Promise((resolve) => {
    server.app.server.getConnections((_error, count) => resolve(count));
  });
}
