import { describe, expect, it } from 'vitest';
import { RawConnection } from '../support/raw-connection.js';
import { startTransport, type TransportServer } from '../support/transport-server.js';

const ONE = '127.0.0.2';
const OTHER = '127.0.0.3';
const PLACES = 10;
const REQUEST = 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n';
/** The request is under way: its body is awaited. */
const HALF =
  'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 27\r\n\r\n';
const REST = '{"query": "{ __typename }"}';

async function withTransport(
  work: (transport: TransportServer) => Promise<void>,
  environment: Record<string, string> = {},
): Promise<void> {
  const transport = await startTransport({
    environment: { HTTP_CONNECTIONS_MAX: String(PLACES), ...environment },
  });
  try {
    await work(transport);
  } finally {
    await transport.close();
  }
}

/** Opens connections one after another; each is refused, or asks and is answered. */
async function open({ url }: TransportServer, from: string, count: number): Promise<RawConnection[]> {
  const opened: RawConnection[] = [];
  for (let no = 0; no < count; no += 1) {
    const connection = await RawConnection.open(url, from);
    connection.send(REQUEST);
    await connection.answers(/ 200 [^]*\r\n\r\n/).catch(() => undefined);
    opened.push(connection);
  }
  return opened;
}

const areOpen = (connections: readonly RawConnection[]): boolean[] =>
  connections.map(({ socket }) => !socket.closed);
const times = <T>(count: number, value: T): T[] => Array<T>(count).fill(value);

describe('places for connections (X.19)', () => {
  it('are shared by an address that holds all of them, which loses its oldest idle ones', async () => {
    await withTransport(async (transport) => {
      const first = await open(transport, ONE, PLACES);
      const second = await open(transport, OTHER, 7);
      await expect.poll(() => areOpen(first)).toEqual([...times(5, false), ...times(5, true)]);
      await expect.poll(() => areOpen(second)).toEqual([...times(5, true), ...times(2, false)]);
      const warnings = transport.logged.filter(({ level }) => Number(level) >= 40);
      expect(warnings).toMatchObject([{ level: 40, address: ONE, connections: PLACES }]);
    });
  });

  it('of idle connections are taken before those whose answers are awaited', async () => {
    await withTransport(async (transport) => {
      const first = await open(transport, ONE, PLACES);
      for (const connection of first.slice(0, 5)) connection.send(HALF);
      // Answered in the order of arrival, so those that were sent before have arrived.
      first[5]?.send(REQUEST);
      await first[5]?.answers(/ 200 [^]* 200 [^]*\r\n\r\n/);
      const second = await open(transport, OTHER, 6);
      await expect.poll(() => areOpen(first)).toEqual([...times(5, true), ...times(5, false)]);
      await expect.poll(() => areOpen(second)).toEqual([...times(5, true), false]);
      for (const connection of first.slice(0, 5)) {
        connection.send(REST);
        await connection.answers(/__typename":"Query"/);
      }
    });
  });

  it('are shared also where every connection has a request under way', async () => {
    await withTransport(async (transport) => {
      const first = await open(transport, ONE, PLACES);
      for (const connection of first) connection.send(HALF);
      const second = await open(transport, OTHER, 6);
      await expect
        .poll(() => [areOpen(first), areOpen(second)].map((some) => some.filter(Boolean).length))
        .toEqual([5, 5]);
      // A server that stops waits for the rest of a request.
      for (const { socket } of first) socket.destroy();
    });
  });

  it('go to a new address when as many addresses as there are places have an idle one each', async () => {
    await withTransport(async (transport) => {
      const all: RawConnection[] = [];
      for (let no = 10; no < 10 + PLACES + 1; no += 1)
        all.push(...(await open(transport, `127.0.0.${no}`, 1)));
      await expect.poll(() => areOpen(all)).toEqual([false, ...times(PLACES, true)]);
    });
  });

  it('of a trusted proxy are kept, and its clients get those of other addresses', async () => {
    await withTransport(
      async (transport) => {
        const direct = await open(transport, OTHER, 1);
        const proxied = await open(transport, ONE, PLACES);
        await expect.poll(() => [areOpen(direct), areOpen(proxied)]).toEqual([[false], times(PLACES, true)]);
        expect(areOpen(await open(transport, OTHER, 1))).toEqual([false]);
        await expect.poll(() => areOpen(proxied)).toEqual(times(PLACES, true));
        for (const { socket } of proxied.slice(0, 3)) socket.destroy();
        await Promise.all(proxied.slice(0, 3).map(async ({ closed }) => closed));
        await expect.poll(async () => areOpen(await open(transport, OTHER, 1))).toEqual([true]);
      },
      { TRUST_PROXY: ONE },
    );
  });
});
