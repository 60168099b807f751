import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Config } from '../config.js';
import type { Connections } from './connections.js';
import { originRefusal } from './cors.js';
import { answerRaw, type TransportAnswer } from './raw-answer.js';
import { clientIp } from './request-scope.js';
import { SocketPlaces } from './socket-places.js';
import type { GraphqlSockets } from './websocket.js';

const STOPPING: TransportAnswer = {
  status: 503,
  code: 'SERVICE_UNAVAILABLE',
  message: 'This process is stopping. Connect again.',
};

interface UpgradeParts {
  readonly sockets: GraphqlSockets;
  readonly connections: Connections;
  readonly config: Config;
  readonly isDraining: () => boolean;
}

/**
 * Whether a request asks for what this server has on offer. Every other upgrade is no reason to refuse the request:
 * some clients offer HTTP/2 with each one.
 */
export function isSocketRequest({ method, headers, url }: IncomingMessage, path: string): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket' && url?.split('?')[0] === path;
}

/** Lets sockets in, or answers why not: before the handshake, which costs more than the answer. */
export function admitSockets(
  server: Server,
  { sockets, connections, config, isDraining }: UpgradeParts,
): void {
  const places = new SocketPlaces({
    total: config.WS_SOCKETS_TOTAL,
    perAddress: config.WS_SOCKETS_PER_ADDRESS,
  });
  const refusalOf = (request: IncomingMessage, socket: Duplex): TransportAnswer | null => {
    if (isDraining()) return STOPPING;
    const refusal = originRefusal(request, config.CORS_ORIGINS ?? []);
    return refusal ?? places.take(socket, clientIp(request, config.TRUST_PROXY));
  };
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const refusal = refusalOf(request, socket);
    if (refusal === null) {
      connections.exempt(socket);
      sockets.upgrade(request, socket, head);
    } else answerRaw(socket, refusal);
  });
}
