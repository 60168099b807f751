import { randomInt } from 'node:crypto';
import { connect } from 'node:net';
import { tryListening } from '../host-addresses.js';
import { LocalServersError } from './local-servers.errors.js';

/**
 * Below the range from which the kernel takes the ports of outgoing connections. A client that reconnects while its
 * server is down could otherwise be given the server's own port, and would then be connected to itself.
 */
const PORT_MIN = 20_000;
const PORT_END = 32_000;
const ATTEMPTS_MAX = 100;
const PROBE_TIMEOUT_MS = 1_000;
/** How many ports are remembered as given: far more than servers that one process has at a time. */
const GIVEN_MAX = 1_000;

/** Ports that callers have, though their servers may not listen yet; the oldest first. */
const given = new Set<number>();

const isFree = async (port: number): Promise<boolean> =>
  tryListening('127.0.0.1', port).then(
    () => true,
    () => false,
  );

/**
 * A free port; the preferred one if possible. Another one is not given twice by a process within its last thousand,
 * because a server takes a moment to listen, and one that is down for a while wants its port back.
 */
export async function findFreePort(preferred?: number): Promise<number> {
  if (preferred !== undefined) {
    remember(preferred);
    if (await isFree(preferred)) return preferred;
  }
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const port = randomInt(PORT_MIN, PORT_END);
    if (given.has(port)) continue;
    remember(port);
    if (await isFree(port)) return port;
  }
  throw new LocalServersError(`No free port was found on 127.0.0.1 between ${PORT_MIN} and ${PORT_END}.`);
}

function remember(port: number): void {
  given.add(port);
  const [oldest] = given;
  if (given.size > GIVEN_MAX && oldest !== undefined) given.delete(oldest);
}

/**
 * Connects, sends `request` and answers whether the reply so far satisfies `isReady`.
 * A refused or silent connection is "not yet".
 */
export async function probe(
  port: number,
  request: string,
  isReady: (reply: Buffer) => boolean,
): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.setTimeout(PROBE_TIMEOUT_MS, () => socket.destroy());
  if (request !== '') socket.write(request);
  let reply = Buffer.alloc(0);
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      reply = Buffer.concat([reply, chunk]);
      if (isReady(reply)) return true;
    }
  } catch {
    // Refused, or reset.
  }
  return false;
}
