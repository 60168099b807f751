import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { EmbeddedServicesError } from './local-servers.errors.js';

/**
 * Below the range from which the kernel takes the ports of outgoing connections. A client that reconnects while its
 * server is down could otherwise be given the server's own port, and would then be connected to itself.
 */
const PORT_MIN = 20_000;
const PORT_END = 32_000;
const ATTEMPTS_MAX = 100;
const PROBE_TIMEOUT_MS = 1_000;

/** A free port; the preferred one if possible. */
export async function findFreePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await isFree(preferred))) return preferred;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const port = randomInt(PORT_MIN, PORT_END);
    if (await isFree(port)) return port;
  }
  throw new EmbeddedServicesError(`No free port was found on 127.0.0.1 between ${PORT_MIN} and ${PORT_END}.`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => {
      resolve(false);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}

/**
 * Connects, sends `request` and answers whether the reply so far satisfies `isReady`.
 * A refused or silent connection is "not yet".
 */
export function probe(port: number, request: string, isReady: (reply: Buffer) => boolean): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let reply = Buffer.alloc(0);
    const settle = (ready: boolean): void => {
      socket.destroy();
      resolve(ready);
    };
    socket.setTimeout(PROBE_TIMEOUT_MS, () => {
      settle(false);
    });
    socket.on('error', () => {
      settle(false);
    });
    socket.once('close', () => {
      settle(isReady(reply));
    });
    socket.once('connect', () => {
      if (request !== '') socket.write(request);
    });
    socket.on('data', (chunk) => {
      reply = Buffer.concat([reply, chunk]);
      if (isReady(reply)) settle(true);
    });
  });
}
