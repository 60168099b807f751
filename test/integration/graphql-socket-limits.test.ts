import { setTimeout as pause } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import type { Actor } from '../../src/graphql/actor.js';
import { turn, withLagOf } from '../support/lag.js';
import { RawConnection, frame, upgradeRequest } from '../support/raw-connection.js';
import { RawSocket } from '../support/raw-socket.js';
import { startTransport, USER, type TransportServer } from '../support/transport-server.js';

async function withTransport(
  environment: Record<string, string>,
  work: (transport: TransportServer) => Promise<void>,
): Promise<void> {
  const transport = await startTransport({ environment });
  try {
    await work(transport);
  } finally {
    await transport.close();
  }
}

/** The status and the error of an upgrade that is refused; 101 for one that is not. */
async function upgrade(url: string, head: Record<string, string> = {}) {
  const connection = await RawConnection.open(url);
  connection.send(upgradeRequest('/graphql', head));
  const [, status] = await connection.answers(/^HTTP\/1\.1 (\d+)[^]*\r\n\r\n(?:\{.*\})?/);
  const body = connection.received.split('\r\n\r\n')[1] ?? '';
  const { errors } = (body.startsWith('{') ? JSON.parse(body) : {}) as {
    errors?: { extensions: { code: string } }[];
  };
  return { connection, answer: [Number(status), errors?.[0]?.extensions.code] };
}

/** Milliseconds until the server has ended the connection, whose client answers nothing. */
async function lifeMs(connection: RawConnection): Promise<number> {
  const fromMs = performance.now();
  await connection.closed;
  return performance.now() - fromMs;
}

describe('places for sockets', () => {
  it('are limited for an address without a token, and free again when a socket closes', async () => {
    await withTransport({ WS_SOCKETS_PER_ADDRESS: '2' }, async ({ url }) => {
      const [first, second] = [await RawSocket.ready(url), await RawSocket.ready(url)];
      const third = await RawSocket.open(url);
      third.send({ type: 'connection_init' });
      expect(await third.closed).toEqual({ code: 4430, reason: 'Too many sockets' });
      await first.close();
      await expect
        .poll(async () => RawSocket.ready(url).then(async (fourth) => fourth.close()))
        .toBeUndefined();
      await second.close();
    });
  });

  it('of signed-in callers are limited for an address, before the handshake', async () => {
    await withTransport({ WS_SIGNED_IN_SOCKETS_PER_ADDRESS: '2' }, async ({ url, tokens }) => {
      const authorization = `Bearer ${tokens.sign(USER, 60)}`;
      const sockets = [await RawSocket.ready(url, { authorization })];
      expect((await upgrade(url, { authorization })).answer).toEqual([101, undefined]);
      const third = await upgrade(url, { authorization });
      expect(third.answer).toEqual([429, 'TOO_MANY_SOCKETS']);
      expect(third.connection.received).toMatch(/^retry-after: \d+\r$/im);
      await third.connection.closed;
      await Promise.all(sockets.map(async (socket) => socket.close()));
    });
  });

  it('are left for signed-in callers of an address that floods with sockets without a token', async () => {
    const environment = { WS_SOCKETS_PER_ADDRESS: '2', WS_SIGNED_IN_SOCKETS_PER_ADDRESS: '5' };
    await withTransport(environment, async ({ url, tokens, logged }) => {
      const flood = await Promise.all(
        Array.from({ length: 20 }, async () => {
          const socket = await RawSocket.open(url);
          socket.send({ type: 'connection_init' });
          return socket.next().then(
            () => 'kept' as const,
            () => 'closed' as const,
          );
        }),
      );
      expect(flood.filter((end) => end === 'kept')).toHaveLength(2);
      for (let silent = 0; silent < 20; silent += 1) await RawSocket.open(url);
      const users: RawSocket[] = [];
      for (const userId of ['1', '2', '3', '4']) {
        const authorization = `Bearer ${tokens.sign(user(userId), 60)}`;
        users.push(await RawSocket.ready(url, { authorization }));
      }
      for (let silent = 0; silent < 20; silent += 1) await RawSocket.open(url);
      for (const socket of users) {
        socket.subscribe('1', '{ userOnly }');
        expect(await socket.next()).toMatchObject({ type: 'next' });
        await socket.close();
      }
      const warnings = logged.filter(({ level }) => Number(level) >= 40);
      expect(warnings).toMatchObject([{ bound: 'WS_SOCKETS_PER_ADDRESS', address: '127.0.0.1' }]);
    });
  });

  it('are limited in all, and an address behind a proxy is that of the client', async () => {
    const environment = { WS_SOCKETS_TOTAL: '3', TRUST_PROXY: 'true' };
    await withTransport(environment, async ({ url, tokens }) => {
      const authorization = `Bearer ${tokens.sign(USER, 60)}`;
      const from = async (address: string, head: Record<string, string> = {}) =>
        (await upgrade(url, { 'x-forwarded-for': address, ...head })).answer;
      for (const address of ['192.0.2.1', '2001:db8::1'])
        expect(await from(address, { authorization })).toEqual([101, undefined]);
      const [fresh, later] = [await RawSocket.open(url), await RawSocket.open(url)];
      expect((await fresh.closed).code).toBe(1006);
      expect(await from('192.0.2.3', { authorization })).toEqual([101, undefined]);
      expect((await later.closed).code).toBe(1006);
      expect(await from('192.0.2.4')).toEqual([503, 'SERVICE_UNAVAILABLE']);
    });
  });

  it('are left for signed-in callers when many addresses flood with sockets without a token', async () => {
    const environment = { WS_SOCKETS_TOTAL: '10', WS_SOCKETS_PER_ADDRESS: '1', TRUST_PROXY: 'true' };
    await withTransport(environment, async ({ url, tokens, logged }) => {
      const ends: string[] = [];
      for (let no = 1; no <= 20; no += 1) {
        const socket = await RawSocket.open(url, undefined, { 'x-forwarded-for': `192.0.2.${no}` });
        socket.send({ type: 'connection_init' });
        const isKept = socket.next().then(() => 'kept');
        ends.push(await isKept.catch(async () => String((await socket.closed).code)));
      }
      expect(ends).toEqual([...Array<string>(5).fill('kept'), ...Array<string>(15).fill('4430')]);
      const warning = logged.find(({ level }) => Number(level) >= 40);
      expect(warning).toMatchObject({ bound: 'WS_SOCKETS_TOTAL', address: '192.0.2.6' });
      const authorization = `Bearer ${tokens.sign(USER, 60)}`;
      for (let no = 0; no < 5; no += 1) await RawSocket.ready(url, { authorization });
      expect((await upgrade(url, { authorization })).answer).toEqual([503, 'SERVICE_UNAVAILABLE']);
    });
  });

  it('count an IPv6 network as one address', async () => {
    const environment = { WS_SIGNED_IN_SOCKETS_PER_ADDRESS: '1', TRUST_PROXY: 'true' };
    await withTransport(environment, async ({ url, tokens }) => {
      const authorization = `Bearer ${tokens.sign(USER, 60)}`;
      const from = async (address: string) =>
        (await upgrade(url, { 'x-forwarded-for': address, authorization })).answer[0];
      expect(await from('2001:db8:1:2::1')).toBe(101);
      expect(await from('2001:DB8:1:2:ffff:1:2:3')).toBe(429);
      expect(await from('2001:db8:1:3::1')).toBe(101);
      expect(await from('::ffff:192.0.2.1')).toBe(101);
      expect(await from('192.0.2.1')).toBe(429);
    });
  });

  it.each<[string, (at: number) => Buffer]>([
    ['nothing', () => Buffer.alloc(0)],
    ['a frame byte by byte', (at) => (at === 0 ? frame('x'.repeat(1000)).subarray(0, 9) : Buffer.from('x'))],
    ['pings of the protocol', () => frame('{"type":"ping"}')],
    ['ping frames', () => frame('x', 9)],
  ])('are lost soon by a client that sends %s and never introduces itself', async (_name, part) => {
    await withTransport({ WS_INIT_TIMEOUT_MS: '300' }, async ({ url }) => {
      const connection = await RawConnection.upgraded(url);
      let at = 0;
      const sending = setInterval(() => connection.send(part(at++)), 50);
      const { result: ms, lagMs } = await withLagOf([turn], async () => lifeMs(connection));
      clearInterval(sending);
      expect(ms).toBeGreaterThan(250);
      expect(ms).toBeLessThan(300 + 2000 + 1000 + 2 * lagMs);
    });
  });
});

describe('messages of a client', () => {
  it('end the socket with 4432 when there are too many, and leave other sockets open', async () => {
    await withTransport({ WS_MESSAGES_PER_S: '10' }, async ({ url }) => {
      const [loud, quiet] = [await RawSocket.ready(url), await RawSocket.ready(url)];
      for (let sent = 0; sent < 40; sent += 1) loud.send({ type: 'ping' });
      expect(await loud.closed).toEqual({ code: 4432, reason: 'Too many messages' });
      quiet.subscribe('1', '{ echo(text: "x") }');
      expect(await quiet.next()).toMatchObject({ payload: { data: { echo: 'x' } } });
      await quiet.close();
    });
  });

  it('count by their size, too', async () => {
    const environment = { WS_MESSAGES_PER_S: '10', WS_MESSAGE_LIMIT_BYTES: '262144' };
    await withTransport(environment, async ({ url }) => {
      const socket = await RawSocket.ready(url);
      socket.send({ type: 'ping', payload: { pad: 'x'.repeat(200_000) } });
      expect((await socket.closed).code).toBe(4432);
    });
  });

  it('are answered within the allowance, and a ping payload comes back only when it is small', async () => {
    await withTransport({ WS_MESSAGES_PER_S: '10' }, async ({ url }) => {
      const socket = await RawSocket.ready(url);
      socket.send({ type: 'ping', payload: { at: 1 } });
      expect(await socket.next()).toEqual({ type: 'pong', payload: { at: 1 } });
      socket.send({ type: 'ping', payload: { pad: 'x'.repeat(2000) } });
      expect(await socket.next()).toEqual({ type: 'pong' });
      socket.send({ type: 'ping' });
      expect(await socket.next()).toEqual({ type: 'pong' });
      await socket.close();
    });
  });
});

describe('a client that does not read', () => {
  it('is ended with 4431, gets the code when it reads again, and is not read from until then', async () => {
    await withTransport({ WS_SLOW_READER_MS: '500' }, async ({ url, logged }) => {
      const socket = await RawSocket.ready(url);
      socket.subscribe('1', 'subscription { counted(to: 10000000) }');
      await socket.next();
      socket.freeze();
      const isEnded = (): boolean => logged.some(({ code }) => code === 4431);
      await expect.poll(isEnded, { timeout: 80_000 }).toBe(true);
      socket.thaw();
      expect(await socket.closed).toEqual({ code: 4431, reason: 'Messages are not read in time' });
      expect(logged.filter(({ level }) => Number(level) >= 40)).toEqual([]);
    });
  });

  it('is ended when more waits for it than may', async () => {
    const environment = { WS_SEND_BUFFER_BYTES: '65536', WS_MESSAGE_LIMIT_BYTES: '20000000' };
    await withTransport({ ...environment, WS_MESSAGES_PER_S: '100000' }, async ({ url }) => {
      const socket = await RawSocket.ready(url);
      socket.subscribe('1', 'query ($t: String!) { echo(text: $t) }', { t: 'x'.repeat(15_000_000) });
      expect((await socket.closed).code).toBe(4431);
    });
  });
});

describe('a token that expires', () => {
  it('ends its socket in that instant, and no event is sent after it', async () => {
    await withTransport({}, async ({ url, tokens }) => {
      const token = tokens.sign(USER, 5);
      const expiresMs = Number(decodeJwt(token).exp) * 1000;
      const authorization = `Bearer ${token}`;
      const socket = await RawSocket.ready(url, { authorization });
      socket.subscribe('1', 'subscription { ticks }');
      const { result: code, lagMs } = await withLagOf([turn], async () => (await socket.closed).code);
      const closedMs = Date.now();
      const ticks: number[] = [];
      for (;;) {
        const event = await socket.next().catch(() => null);
        if (event === null) break;
        ticks.push((event.payload as { data: { ticks: number } }).data.ticks);
      }
      expect(code).toBe(4403);
      expect(closedMs - expiresMs).toBeLessThan(1000 + 2 * lagMs);
      expect(ticks.length).toBeGreaterThan(20);
      expect(Math.max(...ticks)).toBeLessThan(expiresMs);
    });
  });

  it('lets a socket live whose token expires later than a timer can wait', async () => {
    await withTransport({}, async ({ url, tokens }) => {
      const days = 24 * 3600;
      const authorization = `Bearer ${tokens.sign(USER, 60 * days, 'BY_OPERATOR')}`;
      const socket = await RawSocket.ready(url, { authorization });
      await pause(100);
      socket.subscribe('1', '{ userOnly }');
      expect(await socket.next()).toMatchObject({ payload: { data: { userOnly: '42' } } });
      await socket.close();
    });
  });
});

const user = (userId: string): Actor => ({ kind: 'USER', tenantId: 'T_1', userId });

describe('ending sessions', () => {
  it('ends the sockets of the given callers with 4403 and the reason, and no others', async () => {
    await withTransport({}, async ({ url, tokens, server }) => {
      const ready = async (userId: string) =>
        RawSocket.ready(url, { authorization: `Bearer ${tokens.sign(user(userId), 60)}` });
      const [meant, other, anonymous] = [await ready('1'), await ready('2'), await RawSocket.ready(url)];
      meant.subscribe('1', 'subscription { ticks }');
      const ended = server.endSessions(
        (actor) => actor.kind === 'USER' && actor.userId === '1',
        'The user was disabled.',
      );
      expect(ended).toBe(1);
      expect(await meant.closed).toEqual({ code: 4403, reason: 'The user was disabled.' });
      for (const socket of [other, anonymous]) {
        socket.subscribe('1', '{ echo(text: "here") }');
        expect(await socket.next()).toMatchObject({ payload: { data: { echo: 'here' } } });
        await socket.close();
      }
    });
  });
});
