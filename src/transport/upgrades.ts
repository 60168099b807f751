import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Config } from '../config.js';
import type { TokenService } from '../identity/token.service.js';
import type { Connections } from './connections.js';
import { originRefusal } from './cors.js';
import { answerRaw, type TransportAnswer } from './raw-answer.js';
import { clientAddress } from '../platform/trusted-proxies.js';
import { hasProof } from './request-scope.js';
import type { SocketPlace, SocketPlaces } from './socket-places.js';
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
  readonly places: SocketPlaces;
  readonly tokens: TokenService;
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
  { sockets, connections, config, places, tokens, isDraining }: UpgradeParts,
): void {
  const admit = (request: IncomingMessage, socket: Duplex): SocketPlace | TransportAnswer => {
    if (isDraining()) return STOPPING;
    const refusal = originRefusal(request, config.CORS_ORIGINS ?? []);
    if (refusal !== null) return refusal;
    const address = clientAddress(request, config.TRUST_PROXY);
    return places.take(socket, address, hasProof(tokens, request.headers.authorization));
  };
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const admitted = admit(request, socket);
    if ('status' in admitted) answerRaw(socket, admitted);
    else {
      connections.exempt(socket);
      sockets.upgrade(request, socket, head, admitted);
    }
  });
}
