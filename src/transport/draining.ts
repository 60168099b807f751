import type { Server } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Connections } from './connections.js';
import type { Listeners } from './listeners.js';
import type { GraphqlSockets } from './websocket.js';

const SWEEP_EVERY_MS = 50;
/** How long a request may go on after the shutdown began. */
const DRAIN_MAX_MS = 10_000;

interface DrainParts {
  readonly sockets: GraphqlSockets;
  readonly connections: Connections;
  readonly listeners: Listeners;
}

/**
 * Closing the server closes the sockets first, because it waits for every connection.
 * @returns whether closing has begun
 */
export function drainsFirst(app: FastifyInstance, parts: DrainParts, graceMs: number): () => boolean {
  const { sockets, connections, listeners } = parts;
  let draining = false;
  let closed = Promise.resolve();
  app.addHook('preClose', async () => {
    draining = true;
    await Promise.all([sockets.close(), leaveTaken(connections, graceMs)]);
    closed = listeners.close();
    endConnections(app.server);
  });
  app.addHook('onClose', async () => closed);
  return () => draining;
}

/** Every answer closes its connection by now, so that clients who are at work are gone after their next request. */
async function leaveTaken(connections: Connections, graceMs: number): Promise<void> {
  const endMs = performance.now() + graceMs;
  while (performance.now() < endMs && connections.count > 0) await pause(SWEEP_EVERY_MS);
}

/**
 * A server closes once every connection has, and a connection that was busy when closing began stays open, idle, for
 * as long as the client likes. So idle ones are closed again and again, and after a while the busy ones too.
 */
function endConnections(server: Server): void {
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_EVERY_MS);
  const end = setTimeout(() => server.closeAllConnections(), DRAIN_MAX_MS);
  server.once('close', () => {
    clearInterval(sweep);
    clearTimeout(end);
  });
}
