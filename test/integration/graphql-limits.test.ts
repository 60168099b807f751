import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graphqlRequest } from '../support/graphql-client.js';
import { RawSocket } from '../support/raw-socket.js';
import { startTransport, type TransportServer } from '../support/transport-server.js';

let open: TransportServer;
let production: TransportServer;
let socket: RawSocket;
let productionSocket: RawSocket;

beforeAll(async () => {
  // So that the longest text is judged over WebSocket, too.
  open = await startTransport({ environment: { WS_MESSAGE_LIMIT_BYTES: '262144' } });
  production = await startTransport({ environment: { NODE_ENV: 'production' } });
  socket = await RawSocket.ready(open.url);
  productionSocket = await RawSocket.ready(production.url);
});
afterAll(async () => {
  await Promise.all([open?.close(), production?.close()]);
});

interface Verdict {
  readonly status: number;
  readonly http: string;
  readonly frame: string;
  readonly socket: string;
}

let operationNo = 0;

/** Asks the same over both transports. */
async function verdict(query: string, transport = open, over = socket): Promise<Verdict> {
  const answer = await graphqlRequest(transport.url, { query });
  operationNo += 1;
  over.subscribe(String(operationNo), query);
  const frame = await over.next();
  if (frame.type === 'next') await over.next();
  const errors = (frame.type === 'error' ? frame.payload : undefined) as { message: string }[] | undefined;
  const message = answer.errors?.[0]?.message ?? 'ok';
  return { status: answer.status, http: message, frame: frame.type, socket: errors?.[0]?.message ?? 'ok' };
}

const deep = (depth: number) => `{ box ${'{ inner '.repeat(depth - 2)}{ name }${' }'.repeat(depth - 2)} }`;
const aliased = (count: number) =>
  `mutation { ${Array.from({ length: count }, (_, at) => `a${at}: touch`).join(' ')} }`;
const wordy = (tokens: number) =>
  `{ echo(text: "x") ${'@skip(if: false) '.repeat(Math.ceil((tokens - 8) / 7))} }`;
const pages = (count: number, size = '500') =>
  `{ ${Array.from({ length: count }, (_, at) => `a${at}: boxes(size: ${size}) { items { name } }`).join(' ')} }`;
/** Each fragment spreads the next one twice. */
const doubling = (levels: number) =>
  `{ ...F0 } ${Array.from({ length: levels }, (_, at) => `fragment F${at} on Query { ...F${at + 1} ...F${at + 1} }`).join(' ')} fragment F${levels} on Query { echo(text: "x") }`;
const PASSED = { status: 200, http: 'ok', frame: 'next', socket: 'ok' };

describe('limits of a document, the same over HTTP and WebSocket', () => {
  it.each([
    ['12 levels', deep(12)],
    ['15 aliases', aliased(15)],
    ['a page of 500', pages(1)],
    ['15 pages of the default size', pages(15, '0')],
    ['introspection where it is on', getIntrospectionQuery()],
  ])('lets %s pass', async (_name, query) => {
    expect(await verdict(query)).toEqual(PASSED);
  });

  it.each([
    ['13 levels', deep(13), 'depth limit of 12 exceeded, found 13'],
    [
      'levels hidden in fragments',
      `{ box { ...A } } fragment A on Box { inner { ...B } } fragment B on Box ${deep(12).replace('{ box', '{ inner')}`,
      'depth limit',
    ],
    ['16 aliases', aliased(16), 'Aliases limit of 15 exceeded, found 16'],
    ['1,000 aliased mutations', aliased(1000), 'more than 2000 tokens'],
    [
      'aliases multiplied by fragments',
      `{ ${'...A '.repeat(20)} } fragment A on Query { a: echo(text: "x") }`,
      'Aliases limit',
    ],
    ['more tokens than 2,000', wordy(2100), 'more than 2000 tokens'],
    ['50,000 open braces', '{ box '.repeat(50_000 / 2), 'more than 2000 tokens'],
    ['300 aliases of __typename', aliased(300).replaceAll('touch', '__typename'), 'Aliases limit of 15'],
    [
      'a costly document',
      pages(15),
      'This operation costs 90150, and 50000 is the most: a page costs its size times the cost of a row. Ask for fewer rows',
    ],
    [
      'a costly document in fragments',
      `{ ...A ...B } fragment A on Query { a: boxes(size: 500) { ...P } b: boxes(size: 500) { ...P } c: boxes(size: 500) { ...P } }
       fragment B on Query { d: boxes(size: 500) { ...P } e: boxes(size: 500) { ...P } f: boxes(size: 500) { ...P } g: boxes(size: 500) { ...P } h: boxes(size: 500) { ...P } i: boxes(size: 500) { ...P } } fragment P on BoxPage { items { name } }`,
      'This operation costs 54090',
    ],
    [
      'a field selected 999 times',
      `{ ${'__typename '.repeat(999)} }`,
      'selects the same field in one place so often',
    ],
    ['fragments that double 30 times', doubling(30), 'selects more than 10000 fields'],
    [
      'the schema together with data',
      '{ __schema { queryType { name } } echo(text: "x") }',
      'in a separate operation',
    ],
    [
      'fragments in a circle',
      '{ box { ...A } } fragment A on Box { inner { ...B } } fragment B on Box { ...A }',
      'Cannot spread fragment',
    ],
  ])('refuses %s by a 400 and an error frame', async (_name, query, message) => {
    expect(await verdict(query)).toEqual({
      status: 400,
      http: expect.stringContaining(message) as string,
      frame: 'error',
      socket: expect.stringContaining(message) as string,
    });
  });

  it('runs nothing of a mutation that is refused', async () => {
    const answer = await graphqlRequest(open.url, { query: aliased(16) });
    expect(answer.data).toBeUndefined();
    expect(answer.errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
  });

  it('tells nothing of the schema in production', async () => {
    const hidden = { status: 400, frame: 'error' };
    expect(await verdict(getIntrospectionQuery(), production, productionSocket)).toMatchObject({
      ...hidden,
      http: expect.stringContaining('GraphQL introspection has been disabled') as string,
    });
    expect(await verdict('{ ecko(text: "x") }', production, productionSocket)).toEqual({
      ...hidden,
      http: 'Cannot query field "ecko" on type "Query".',
      socket: 'Cannot query field "ecko" on type "Query".',
    });
    expect((await verdict('{ ecko(text: "x") }')).http).toContain('Did you mean "echo"?');
  });

  it('allows introspection in production where it is switched on', async () => {
    const environment = { NODE_ENV: 'production', INTROSPECTION: 'true' };
    const transport = await startTransport({ environment });
    expect((await graphqlRequest(transport.url, { query: getIntrospectionQuery() })).status).toBe(200);
    await transport.close();
  });
});
