import dns from 'node:dns/promises';
import { once } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { assertCanListen } from '../../src/app/listen-address.js';
import { graphqlRequest } from '../support/graphql-client.js';
import { RawConnection } from '../support/raw-connection.js';
import { RawSocket } from '../support/raw-socket.js';
import { startTransport, type TransportServer } from '../support/transport-server.js';

let addresses: readonly string[] = [];
// What `localhost` is differs from machine to machine.
beforeEach(() => {
  const lookup = async () => addresses.map((address) => ({ address, family: 4 }));
  vi.spyOn(dns, 'lookup').mockImplementation(lookup as unknown as typeof dns.lookup);
  syncBuiltinESMExports();
});
afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

const FIRST = '127.0.0.1';
const SECOND = '127.0.0.2';

async function listenAt(...named: string[]): Promise<TransportServer> {
  addresses = named;
  return startTransport({ environment: { HOST: 'localhost', HTTP_CONNECTIONS_MAX: '10' } });
}
const at = ({ url }: TransportServer, address: string): string => url.replace(FIRST, address);

it.each([FIRST, SECOND])('a server at localhost answers HTTP and WebSocket at %s', async (address) => {
  const transport = await listenAt(FIRST, SECOND, FIRST);
  const url = at(transport, address);
  const { data } = await graphqlRequest(url, { query: '{ echo(text: "here") }' });
  expect(data).toEqual({ echo: 'here' });
  const socket = await RawSocket.ready(url);
  await socket.close();
  await transport.close();
});

it('bounds the connections of both addresses together', async () => {
  const transport = await listenAt(FIRST, SECOND);
  const open = async (address: string, count: number) =>
    Promise.all(Array.from({ length: count }, async () => RawConnection.open(at(transport, address))));
  const all = [...(await open(FIRST, 10)), ...(await open(SECOND, 10))];
  const left = () => all.filter(({ socket }) => !socket.closed);
  await expect.poll(() => left().length).toBe(10);
  for (const connection of left()) connection.send('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
  await Promise.all(left().map(async (connection) => connection.answers(/ 200 /)));
  for (const { socket } of left()) socket.destroy();
  await expect
    .poll(async () =>
      fetch(`${at(transport, SECOND)}/healthz`).then(
        ({ status }) => status,
        () => 0,
      ),
    )
    .toBe(200);
  await transport.close();
});

it('ends idle connections of both addresses when it stops, and takes no more', async () => {
  const transport = await listenAt(FIRST, SECOND);
  const urls = [FIRST, SECOND].map((address) => at(transport, address));
  const idle = await Promise.all(urls.map(async (url) => RawConnection.open(url)));
  for (const connection of idle) {
    connection.send('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    await connection.answers(/ 200 [^]*\r\n\r\n/);
  }
  const fromMs = performance.now();
  await transport.close();
  expect(performance.now() - fromMs).toBeLessThan(5000);
  await Promise.all(idle.map(async ({ closed }) => closed));
  for (const url of urls) await expect(fetch(`${url}/healthz`)).rejects.toThrow('fetch failed');
});

it('listens where it can, and warns, when an address of localhost is none of this machine', async () => {
  const transport = await listenAt(FIRST, '192.0.2.1');
  expect(await graphqlRequest(transport.url, { query: '{ echo(text: "here") }' })).toMatchObject({
    data: { echo: 'here' },
  });
  const warnings = transport.logged.filter(({ level }) => Number(level) >= 40);
  expect(warnings).toMatchObject([{ level: 40, host: '192.0.2.1' }]);
  await transport.close();
});

it('does not start, and says why, when another program listens on the second address of localhost', async () => {
  const foreign = createServer().listen({ host: SECOND, port: 0 });
  await once(foreign, 'listening');
  const { port } = foreign.address() as AddressInfo;
  addresses = [FIRST, SECOND];
  await expect(assertCanListen('localhost', port)).rejects.toThrow(
    `Port ${port} of ${SECOND} is in use: stop the program that listens there`,
  );
  const environment = { HOST: 'localhost', PORT: String(port) };
  await expect(startTransport({ environment })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  foreign.close();
  await once(foreign, 'close');
  await expect(assertCanListen('localhost', port)).resolves.toBeUndefined();
  addresses = [FIRST, '192.0.2.1'];
  await expect(assertCanListen('localhost', port)).resolves.toBeUndefined();
});
