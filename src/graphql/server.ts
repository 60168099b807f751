import type { IncomingMessage, Server } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ApolloServer } from '@apollo/server';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import type { Registry } from 'prom-client';
import type { Config } from '../config.js';
import type { AccessService } from '../identity/access.service.js';
import type { TokenService } from '../identity/token.service.js';
import type { Logger } from '../platform/log.js';
import type { EventFeed } from '../platform/outbox/event-feed.js';
import type { Redis } from '../platform/redis/redis.js';
import { guardOperations } from './admission.js';
import { createApollo } from './apollo.js';
import { ApqCache } from './apq.redis.js';
import type { RequestContext } from './context.js';
import { addHealthRoutes, type HealthChecks } from './health.js';
import { answerRaw, type TransportAnswer } from './raw-answer.js';
import { answerElsewhere, answerTransportErrors } from './transport-errors.js';
import { documentLimits } from './limits.js';
import { authenticate, clientIp, namedHeader, requestIdOf, RequestScope } from './request-scope.js';
import { GraphqlSockets } from './websocket.js';

const PATH = '/graphql';
const REQUEST_TIMEOUT_MS = 30_000;
const DRAIN_SWEEP_MS = 50;
/** How long a request may go on after the shutdown began. */
const DRAIN_MAX_MS = 10_000;

const STOPPING: TransportAnswer = {
  status: 503,
  code: 'SERVICE_UNAVAILABLE',
  message: 'This process is stopping. Connect again.',
};
const NOT_HERE: TransportAnswer = {
  status: 404,
  code: 'BAD_REQUEST',
  message: `There is no WebSocket at this path. Connect to ${PATH}.`,
};

export interface HttpServerParts {
  readonly schema: GraphQLSchema;
  readonly tokens: TokenService;
  readonly access: Pick<AccessService, 'refusalOf'>;
  readonly config: Config;
  readonly log: Logger;
  readonly redis: Redis;
  readonly events: EventFeed;
  readonly health: HealthChecks;
  readonly metrics?: Registry;
}

export interface HttpServer {
  /** For further routes; add them before `listen`. */
  readonly app: FastifyInstance;
  /** Who asks and what for, for such routes. @throws GraphQLError with the HTTP status in `extensions.http.status` */
  contextOf(request: FastifyRequest): RequestContext;
  /** Resolves with the address, e.g. `http://127.0.0.1:4000`. */
  listen(): Promise<string>;
  /**
   * Says that it is not ready, closes the sockets with 1001 once their operations are answered, and takes requests for
   * a little longer, so that no client is cut off between two of them; then takes no more, and finishes what is under way.
   */
  close(): Promise<void>;
}

/** GraphQL over HTTP and WebSocket on one port, with the health routes beside it. */
export async function createHttpServer(parts: HttpServerParts): Promise<HttpServer> {
  const { config, log } = parts;
  const app = Fastify({
    logger: false,
    bodyLimit: config.HTTP_BODY_LIMIT_BYTES,
    forceCloseConnections: 'idle',
    // What is taken during the shutdown is answered, too, and its connection then closed.
    return503OnClosing: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
  });
  guardOperations(parts.schema);
  const limits = documentLimits(config);
  const apollo = createApollo({ ...parts, limits, apq: new ApqCache(parts.redis) });
  await apollo.start();
  const sockets = new GraphqlSockets({ ...parts, limits });
  const contextOf = (request: FastifyRequest) => contextFrom(request, parts);
  await app.register(async (scope) => addGraphqlRoute(scope, apollo, contextOf, log));
  answerElsewhere(app, PATH);
  const isDraining = attachSockets(app, sockets, parts);
  addHealthRoutes(app, { checks: parts.health, metrics: parts.metrics, isDraining });
  app.addHook('onClose', async () => apollo.stop());

  return {
    app,
    contextOf,
    listen: async () => addressOf(await listening(app, config)),
    close: async () => app.close(),
  };
}

function addGraphqlRoute(
  scope: FastifyInstance,
  apollo: ApolloServer<RequestContext>,
  contextOf: (request: FastifyRequest) => RequestContext,
  log: Logger,
): void {
  answerTransportErrors(scope, log);
  const handler = fastifyApolloHandler(apollo, {
    context: async (request: FastifyRequest, reply: FastifyReply) => {
      const context = contextOf(request);
      void reply.header('x-request-id', context.requestId);
      return context;
    },
  });
  scope.route({ method: ['GET', 'POST'], url: PATH, exposeHeadRoute: false, handler });
}

/** Sockets share the port. Closing the server closes them first, because it waits for every connection. */
function attachSockets(
  app: FastifyInstance,
  sockets: GraphqlSockets,
  { config, log }: HttpServerParts,
): () => boolean {
  let draining = false;
  // Accepting a connection can fail, as without free file descriptors; the next one may succeed.
  app.server.on('error', (error) => log.error({ err: error }, 'A connection could not be accepted.'));
  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (draining) answerRaw(socket, STOPPING);
    else if (request.url?.split('?')[0] === PATH) sockets.upgrade(request, socket, head);
    else answerRaw(socket, NOT_HERE);
  });
  app.addHook('preClose', async () => {
    draining = true;
    await Promise.all([sockets.close(), leaveTaken(app.server, config.DRAIN_GRACE_MS)]);
    endConnections(app.server);
  });
  return () => draining;
}

/** Every answer closes its connection by now, so that clients who are at work are gone after their next request. */
async function leaveTaken(server: Server, graceMs: number): Promise<void> {
  const endMs = performance.now() + graceMs;
  const open = async (): Promise<number> =>
    new Promise((resolve) => {
      server.getConnections((_error, count) => resolve(count));
    });
  while (performance.now() < endMs && (await open()) > 0) await pause(DRAIN_SWEEP_MS);
}

/**
 * A server closes once every connection has, and a connection that was busy when closing began stays open, idle, for
 * as long as the client likes. So idle ones are closed again and again, and after a while the busy ones too.
 */
function endConnections(server: Server): void {
  const sweep = setInterval(() => server.closeIdleConnections(), DRAIN_SWEEP_MS);
  const end = setTimeout(() => server.closeAllConnections(), DRAIN_MAX_MS);
  server.once('close', () => {
    clearInterval(sweep);
    clearTimeout(end);
  });
}

function contextFrom(
  request: FastifyRequest,
  { tokens, access, config, log, events }: HttpServerParts,
): RequestContext {
  const { headers, raw } = request;
  const facts = {
    requestId: requestIdOf(headers),
    actor: authenticate(tokens, headers.authorization),
    productCode: namedHeader(headers, 'x-product-code'),
    deviceId: namedHeader(headers, 'x-device-id'),
    idempotencyKey: namedHeader(headers, 'idempotency-key'),
    ip: clientIp(raw, config.TRUST_PROXY),
  };
  return new RequestScope(facts, log, events, access);
}

async function listening(app: FastifyInstance, config: Config): Promise<AddressInfo> {
  await app.listen({ host: config.HOST, port: config.PORT });
  return app.server.address() as AddressInfo;
}

function addressOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
