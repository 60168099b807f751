import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { StoreUnavailableError } from '../../src/platform/errors.js';
import { graphqlRequest, graphqlSubscribe } from '../support/graphql-client.js';
import { turn } from '../support/lag.js';
import { RawSocket } from '../support/raw-socket.js';
import { startTransport, USER, type TransportServer } from '../support/transport-server.js';

let transport: TransportServer;
let url: string;

beforeAll(async () => {
  const environment = { WS_MAX_OPERATIONS: '3', WS_SOCKETS_PER_USER: '2' };
  transport = await startTransport({ environment });
  url = transport.url;
});
afterAll(async () => transport?.close());

const bearer = (seconds = 60) => `Bearer ${transport.tokens.sign(USER, seconds)}`;

async function contextSeen(socket: RawSocket): Promise<Record<string, unknown>> {
  socket.subscribe('context', '{ context }');
  const { payload } = await socket.next();
  await socket.next();
  return JSON.parse((payload as { data: { context: string } }).data.context) as Record<string, unknown>;
}

describe('GraphQL over WebSocket', () => {
  it('streams a subscription to its end', async () => {
    const stream = await graphqlSubscribe(url, {
      query: 'subscription ($n: Int!) { counted(to: $n) }',
      variables: { n: 2 },
    });
    expect(await stream.next()).toEqual({ data: { counted: 2 } });
    expect(await stream.next()).toEqual({ data: { counted: 2 } });
    expect(await stream.next()).toBeNull();
    await stream.close();
  });

  it('runs queries and mutations as well', async () => {
    const socket = await RawSocket.ready(url);
    socket.subscribe('1', 'mutation { touch }');
    expect(await socket.next()).toEqual({ id: '1', type: 'next', payload: { data: { touch: 1 } } });
    expect(await socket.next()).toEqual({ id: '1', type: 'complete' });
    await socket.close();
  });

  it('reads token, product line and device from the connection parameters, and from the headers of the upgrade', async () => {
    const params = { authorization: bearer(), 'x-product-code': 'APP_A', 'X-Device-Id': 'device-1' };
    const byParams = await RawSocket.ready(url, params);
    const seen = {
      actor: USER,
      productCode: 'APP_A',
      deviceId: 'device-1',
      idempotencyKey: null,
      ip: '127.0.0.1',
    };
    expect(await contextSeen(byParams)).toMatchObject(seen);
    await byParams.close();
    const byHeaders = await RawSocket.open(url, undefined, { ...params, 'idempotency-key': 'key-1' });
    byHeaders.send({ type: 'connection_init' });
    await byHeaders.next();
    expect(await contextSeen(byHeaders)).toMatchObject(seen);
    await byHeaders.close();
  });

  it.each([
    ['without a subprotocol', []],
    ['with the old subprotocol', ['graphql-ws']],
  ])('closes a socket %s with 4406', async (_name, protocols) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, protocols);
    socket.on('error', () => undefined);
    const code = await new Promise((resolve) => {
      socket.on('close', resolve);
      // A client that asked for another protocol closes when the server takes none.
      if (protocols.length > 0) socket.on('error', () => resolve(4406));
    });
    expect(code).toBe(4406);
  });

  it('closes a socket that says nothing in time with 4408', async () => {
    const impatient = await startTransport({ environment: { WS_INIT_TIMEOUT_MS: '150' } });
    expect((await (await RawSocket.open(impatient.url)).closed).code).toBe(4408);
    await impatient.close();
  });

  it('closes at a second connection_init with 4429', async () => {
    const socket = await RawSocket.ready(url);
    socket.send({ type: 'connection_init' });
    expect((await socket.closed).code).toBe(4429);
  });

  it('closes at an operation before the acknowledgement with 4401', async () => {
    const socket = await RawSocket.open(url);
    socket.subscribe('1', '{ __typename }');
    expect((await socket.closed).code).toBe(4401);
  });

  it('closes at a second operation of the same id with 4409', async () => {
    const socket = await RawSocket.ready(url);
    socket.subscribe('1', 'subscription { forever }');
    socket.subscribe('1', 'subscription { forever }');
    expect((await socket.closed).code).toBe(4409);
  });

  it('closes with 4409 also when the id is longer than a close frame may be, and logs no fault', async () => {
    const before = transport.logged.length;
    const socket = await RawSocket.ready(url);
    const id = '漢'.repeat(5000);
    socket.subscribe(id, 'subscription { forever }');
    socket.subscribe(id, 'subscription { forever }');
    const { code, reason } = await socket.closed;
    expect([code, reason.slice(0, 16)]).toEqual([4409, 'Subscriber for 漢']);
    expect(transport.logged.slice(before).filter(({ level }) => Number(level) >= 40)).toEqual([]);
  });

  it.each([
    'no JSON',
    '{}',
    '{"type":"gossip"}',
    '{"type":"subscribe","id":"1","payload":{"query":5}}',
    'null',
    '{"type":"connection_ack"}',
  ])('closes at the message %s with 4400', async (message) => {
    const socket = await RawSocket.ready(url);
    socket.send(message);
    expect((await socket.closed).code).toBe(4400);
  });

  it('closes at a binary frame that is not UTF-8 with 4400, and takes the same text in UTF-8', async () => {
    const frame = JSON.stringify({ type: 'ping', payload: { t: 'd\u00e9j\u00e0' } });
    const socket = await RawSocket.ready(url);
    socket.send(Buffer.from(frame));
    expect(await socket.next()).toMatchObject({ type: 'pong' });
    socket.send(Buffer.from(frame, 'latin1'));
    expect((await socket.closed).code).toBe(4400);
  });

  it('refuses a subscription whose only field is left out, and lets the socket live', async () => {
    const socket = await RawSocket.ready(url);
    for (const [at, query] of [
      'subscription { forever @skip(if: true) }',
      'subscription { ...F } fragment F on Subscription { forever @include(if: false) }',
    ].entries()) {
      socket.subscribe(`s${at}`, query);
      expect(await socket.next()).toMatchObject({ id: `s${at}`, type: 'error' });
    }
    socket.subscribe('q', '{ echo(text: "alive") }');
    expect(await socket.next()).toMatchObject({ id: 'q', payload: { data: { echo: 'alive' } } });
    await socket.close();
  });

  it('closes at a message above 64 KiB with 1009, and answers a smaller one', async () => {
    const socket = await RawSocket.ready(url);
    socket.subscribe('0', `{ echo(text: "${'x'.repeat(65_000)}") }`);
    expect(await socket.next()).toMatchObject({ id: '0', type: 'next' });
    socket.subscribe('1', `{ echo(text: "${'x'.repeat(65_536)}") }`);
    expect((await socket.closed).code).toBe(1009);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  it('answers 404 to an upgrade elsewhere', async () => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/elsewhere`, 'graphql-transport-ws');
    const error = await new Promise<Error>((resolve) => {
      socket.on('error', resolve);
    });
    expect(error.message).toContain('404');
  });
});

describe('identity of a socket', () => {
  it.each([
    ['rubbish', 'Bearer rubbish', 'The token is not valid.'],
    ['no bearer', 'rubbish', 'The authorization must have the form `Bearer <token>`.'],
  ])('closes at a token that is %s with 4403 and says why', async (_name, authorization, reason) => {
    const socket = await RawSocket.open(url);
    socket.send({ type: 'connection_init', payload: { authorization } });
    expect(await socket.closed).toEqual({ code: 4403, reason });
  });

  it.each([[['Bearer x']], [1], [{}]])(
    'closes at an authorization that is no text, %j, with 4403 and says why',
    async (authorization) => {
      const socket = await RawSocket.open(url);
      socket.send({ type: 'connection_init', payload: { authorization } });
      const reason = 'The payload of connection_init must give authorization as text.';
      expect(await socket.closed).toEqual({ code: 4403, reason });
    },
  );

  it('answers nothing once the token has expired, and closes the socket with 4403', async () => {
    let nowMs = Date.UTC(2026, 0, 1);
    const turned = await startTransport({ clock: { nowMs: () => nowMs } });
    const socket = await RawSocket.ready(turned.url, {
      authorization: `Bearer ${turned.tokens.sign(USER, 60)}`,
    });
    nowMs += 60_000;
    socket.subscribe('1', '{ userOnly }');
    expect(await socket.closed).toEqual({ code: 4403, reason: 'The token has expired. Sign in again.' });
    await expect(socket.next()).rejects.toThrow('The socket was closed: 4403');
    await turned.close();
  });

  it('allows a user WS_SOCKETS_PER_USER sockets in one process, and one more when one closes', async () => {
    const authorization = bearer();
    const [first, second] = [
      await RawSocket.ready(url, { authorization }),
      await RawSocket.ready(url, { authorization }),
    ];
    const third = await RawSocket.open(url);
    third.send({ type: 'connection_init', payload: { authorization } });
    expect(await third.closed).toEqual({ code: 4430, reason: 'Too many sockets' });
    await first.close();
    const again = await RawSocket.ready(url, { authorization });
    await Promise.all([second.close(), again.close()]);
  });

  it('bounds operations at once on one socket, refuses one more, and takes the next when one ends', async () => {
    const socket = await RawSocket.ready(url);
    for (const id of ['1', '2', '3', '4']) socket.subscribe(id, 'subscription { forever }');
    expect(await socket.next()).toMatchObject({
      id: '4',
      type: 'error',
      payload: [{ extensions: { code: 'TOO_MANY_OPERATIONS' } }],
    });
    socket.send({ id: '1', type: 'complete' });
    socket.subscribe('5', '{ echo(text: "room") }');
    expect(await socket.next()).toMatchObject({ id: '5', payload: { data: { echo: 'room' } } });
    await socket.close();
  });
});

describe('heart-beat', () => {
  it('ends a socket whose token has expired, with its subscriptions, and lets others be', async () => {
    let nowMs = Date.UTC(2026, 0, 1);
    const clock = { nowMs: () => nowMs };
    const beating = await startTransport({ clock, environment: { WS_HEARTBEAT_MS: '300' } });
    const token = (seconds: number) => ({ authorization: `Bearer ${beating.tokens.sign(USER, seconds)}` });
    const short = await RawSocket.ready(beating.url, token(60));
    const long = await RawSocket.ready(beating.url, token(600));
    const anonymous = await RawSocket.ready(beating.url);
    short.subscribe('1', 'subscription { forever }');
    nowMs += 60_000;
    expect(await short.closed).toEqual({ code: 4403, reason: 'The token has expired. Sign in again.' });
    expect(await contextSeen(long)).toMatchObject({ actor: USER });
    expect(await contextSeen(anonymous)).toMatchObject({ actor: null });
    await beating.close();
  });

  it('cuts a peer that answers no ping', async () => {
    const beating = await startTransport({ environment: { WS_HEARTBEAT_MS: '300' } });
    const [gone, living] = [await RawSocket.ready(beating.url), await RawSocket.ready(beating.url)];
    gone.freeze();
    await setTimeout(1500);
    gone.thaw();
    expect((await gone.closed).code).toBe(1006);
    expect(await contextSeen(living)).toMatchObject({ actor: null });
    await beating.close();
  });
});

describe('a subscription whose caller cannot be judged for a while', () => {
  it('loses no event while the database does not answer to a caller admitted before', async () => {
    const EVENTS = 50;
    let isAway = false;
    let askedInVain = 0;
    // Asked before each event, and once a second for the socket; it takes so long that the test can intervene.
    const refusalOf = async (): Promise<null> => {
      await turn();
      if (!isAway) return null;
      askedInVain += 1;
      throw new StoreUnavailableError('database');
    };
    const judged = await startTransport({
      access: { refusalOf, knownRefusalOf: () => null, refusalOfKey: async () => null },
    });
    const socket = await RawSocket.ready(judged.url, {
      authorization: `Bearer ${judged.tokens.sign(USER, 60)}`,
    });
    socket.subscribe('1', `subscription { counted(to: ${EVENTS}) }`);
    const frames = [await socket.next()];
    isAway = true;
    while (frames.length < EVENTS) frames.push(await socket.next());
    expect(frames.map(({ payload }) => payload)).toEqual(
      Array.from({ length: EVENTS }, () => ({ data: { counted: EVENTS } })),
    );
    expect(askedInVain).toBeGreaterThan(EVENTS / 5);
    await socket.close();
    await judged.close();
  });
});

describe('a caller whose session has ended', () => {
  it('gets nothing more over an open socket, also of what was computed before, once this process knows', async () => {
    let hasEnded = false;
    const knownRefusalOf = () => (hasEnded ? ('SESSION_ENDED' as const) : null);
    const judged = await startTransport({
      access: { refusalOf: async () => null, refusalOfKey: async () => null, knownRefusalOf },
    });
    const authorization = `Bearer ${judged.tokens.sign(USER, 60)}`;
    const [ended, anonymous] = [
      await RawSocket.ready(judged.url, { authorization }),
      await RawSocket.ready(judged.url),
    ];
    for (const socket of [ended, anonymous]) socket.subscribe('1', '{ slow }');
    hasEnded = true;
    expect(await ended.closed).toEqual({ code: 4403, reason: 'Your session has ended. Sign in again.' });
    await expect(ended.next()).rejects.toThrow();
    expect(await anonymous.next()).toMatchObject({ payload: { data: { slow: 'done' } } });
    await anonymous.close();
    await judged.close();
  });
});

describe('shutdown', () => {
  it('finishes a request that is under way', async () => {
    const leaving = await startTransport();
    const begun = once(leaving.server.app.server, 'request');
    const slow = graphqlRequest(leaving.url, { query: '{ slow }' });
    await begun;
    await leaving.close();
    expect(await slow).toMatchObject({ status: 200, data: { slow: 'done' } });
  });

  it('sends every socket away with 1001, finishes, and takes no new ones', async () => {
    const leaving = await startTransport();
    const sockets = await Promise.all([
      RawSocket.ready(leaving.url),
      RawSocket.ready(leaving.url),
      RawSocket.open(leaving.url),
    ]);
    sockets[0]?.subscribe('1', 'subscription { forever }');
    await leaving.close();
    const codes = await Promise.all(sockets.map(async (socket) => (await socket.closed).code));
    expect(codes).toEqual([1001, 1001, 1001]);
    await expect(fetch(`${leaving.url}/healthz`)).rejects.toThrow();
  });
});
