import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { RawSocket, type Frame } from '../support/raw-socket.js';
import { startTransport, USER, type TransportServer } from '../support/transport-server.js';

const TTL_S = 60;
const EXPIRED = { code: 4403, reason: 'The token has expired. Sign in again.' };
/** No heartbeat, and no timer of the session, falls into a test: only deliveries can judge the token. */
const NO_BEAT = { WS_HEARTBEAT_MS: '600000' };

interface Turned {
  readonly server: TransportServer;
  /** The clock of the server reaches `exp`, while its timers know nothing of it. */
  expire(): void;
  readonly authorization: string;
}

async function turned(): Promise<Turned> {
  let nowMs = Date.UTC(2026, 0, 1);
  const server = await startTransport({ clock: { nowMs: () => nowMs }, environment: NO_BEAT });
  const authorization = `Bearer ${server.tokens.sign(USER, TTL_S)}`;
  return { server, authorization, expire: () => void (nowMs += TTL_S * 1000) };
}

const ticks = (frames: readonly Frame[]): number[] =>
  frames.flatMap(({ payload }) => (payload as { data?: { ticks?: number } } | undefined)?.data?.ticks ?? []);

/** Reads on until the server closes the socket. */
async function rest(socket: RawSocket): Promise<Frame[]> {
  const frames: Frame[] = [];
  for (;;) {
    const frame = await socket.next().catch(() => null);
    if (frame === null) return frames;
    frames.push(frame);
  }
}

describe('X.22: a token is judged at every delivery', () => {
  it('no event is delivered after exp, long before the next heartbeat', async () => {
    const { server, authorization, expire } = await turned();
    const socket = await RawSocket.ready(server.url, { authorization });
    for (const id of ['1', '2', '3']) socket.subscribe(id, 'subscription { ticks }');
    for (let at = 0; at < 10; at += 1) await socket.next();
    expire();
    const expiredMs = Date.now();
    const after = ticks(await rest(socket)).filter((atMs) => atMs > expiredMs);
    expect(after).toEqual([]);
    expect(await socket.closed).toEqual(EXPIRED);
    await server.close();
  });

  it('the answer of an operation that ran into exp is not delivered', async () => {
    const { server, authorization, expire } = await turned();
    const socket = await RawSocket.ready(server.url, { authorization });
    socket.subscribe('1', '{ slow }');
    await pause(50);
    expire();
    expect(await rest(socket)).toEqual([]);
    expect(await socket.closed).toEqual(EXPIRED);
    await server.close();
  });

  it('a pong is not answered after exp, and the socket is closed', async () => {
    const { server, authorization, expire } = await turned();
    const socket = await RawSocket.ready(server.url, { authorization });
    expire();
    socket.send({ type: 'ping' });
    expect(await rest(socket)).toEqual([]);
    expect(await socket.closed).toEqual(EXPIRED);
    await server.close();
  });

  it('sockets of other tokens and of none go on', async () => {
    const { server, authorization, expire } = await turned();
    const long = `Bearer ${server.tokens.sign(USER, 10 * TTL_S)}`;
    const [short, other, anonymous] = await Promise.all(
      [{ authorization }, { authorization: long }, undefined].map(async (payload) =>
        RawSocket.ready(server.url, payload),
      ),
    );
    for (const socket of [short, other, anonymous]) socket?.subscribe('1', 'subscription { ticks }');
    expire();
    const expiredMs = Date.now();
    expect(await short?.closed).toEqual(EXPIRED);
    for (const socket of [other, anonymous]) {
      let atMs = 0;
      while (atMs <= expiredMs) [atMs = 0] = ticks([(await socket?.next()) ?? { type: 'none' }]);
      await socket?.close();
    }
    await server.close();
  });
});
