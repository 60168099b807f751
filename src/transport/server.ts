import type { Server } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import type { Registry } from 'prom-client';
import type { Config } from '../config.js';
import type { AccessService } from '../identity/access.service.js';
import type { Actor } from '../graphql/actor.js';
import type { TokenService } from '../identity/token.service.js';
import { systemClock, type Clock } from '../platform/clock.js';
import type { Logger } from '../platform/observability/log.js';
import type { EventFeed } from '../platform/push/event-feed.js';
import type { Redis } from '../platform/redis/redis.js';
import { clientAddress } from '../platform/trusted-proxies.js';
import { guardOperations } from './admission.js';
import { createApollo } from './apollo.js';
import { ApqCache } from './apq.redis.js';
import type { RequestContext } from '../graphql/context.js';
import { addFrontPage } from './front-page.js';
import type { TryOut } from './graphiql.js';
import { addHealthRoutes, type HealthChecks } from './health.js';
import { Connections, type ConnectionLimits } from './connections.js';
import { allowOrigins } from './cors.js';
import { Documents } from './documents.js';
import { addGraphqlRoute } from './graphql-route.js';
import { documentLimits } from './limits.js';
import { Listeners } from './listeners.js';
import { ReadingBudget } from './reading-budget.js';
import { SchemaAnswers } from './schema-answers.js';
import type { WorkShares } from './work-shares.js';
import { admitPersistedGets } from './persisted-get.js';
import { authenticate, namedHeader, requestIdOf, RequestScope } from './request-scope.js';
import { answerElsewhere, answerTransportError, answerTransportErrors } from './transport-errors.js';
import { answerUnreadable, answerUnroutable } from './unreadable.js';
import { SocketPlaces, type SocketBounds } from './socket-places.js';
import { admitSockets, isSocketRequest } from './upgrades.js';
import { GraphqlSockets } from './websocket.js';

const PATH = '/graphql';
/** How often node looks for requests that take too long; every half minute by itself. */
const LOOK_EVERY_MS = 500;
const DRAIN_SWEEP_MS = 50;
/** How long a request may go on after the shutdown began. */
const DRAIN_MAX_MS = 10_000;

export interface HttpServerParts {
  readonly schema: GraphQLSchema;
  readonly tokens: TokenService;
  readonly access: Pick<AccessService, 'refusalOf'>;
  readonly clock?: Clock;
  readonly config: Config;
  readonly log: Logger;
  readonly redis: Redis;
  readonly events: EventFeed;
  readonly shares: WorkShares;
  readonly health: HealthChecks;
  readonly metrics?: Registry;
  /** What GraphiQL is filled with in development. */
  readonly tryOut?: () => TryOut | null;
}

export interface HttpServer {
  /** For further routes; add them before `listen`. */
  readonly app: FastifyInstance;
  /** Who asks and what for, for such routes. @throws GraphQLError with the HTTP status in `extensions.http.status` */
  contextOf(request: FastifyRequest): RequestContext;
  /** Resolves with the address, e.g. `http://127.0.0.1:4000`. */
  listen(): Promise<string>;
  /**
   * Ends the WebSockets of the callers that are meant at once, with 4403 and the reason.
   * @returns how many
   */
  endSessions(isMeant: (actor: Actor) => boolean, reason: string): number;
  /**
   * Says that it is not ready, closes the sockets with 1001 once their operations are answered, and takes requests for
   * a little longer, so that no client is cut off between two of them; then takes no more, and finishes what is under way.
   */
  close(): Promise<void>;
}

/** GraphQL over HTTP and WebSocket on one port, with the health routes beside it. */
export async function createHttpServer(parts: HttpServerParts): Promise<HttpServer> {
  const { config, log } = parts;
  const { schema, tokens, access, events, shares, tryOut = () => null } = parts;
  const app = newApp(config);
  guardOperations(parts.schema);
  answerTransportErrors(app, log);
  const servesApi = config.ROLE !== 'worker';
  answerElsewhere(app, servesApi ? PATH : null);
  answerUnroutable(app.server);
  const connections = new Connections(app.server, connectionLimits(config), log);
  const contextOf = (request: FastifyRequest) => contextFrom(request, parts);
  const reading = readingOf(parts);
  const clock = parts.clock ?? systemClock;
  const places = new SocketPlaces(socketBounds(config), log);
  const sockets = new GraphqlSockets({
    schema,
    tokens,
    access,
    events,
    clock,
    config,
    log,
    places,
    shares,
    ...reading,
  });
  const listeners = new Listeners(app, log);
  const isDraining = drainsFirst(app, { sockets, connections, listeners }, config.DRAIN_GRACE_MS);
  addHealthRoutes(app, { checks: parts.health, metrics: parts.metrics, isDraining });
  // A worker answers how it fares, and nothing else.
  if (servesApi) {
    const apq = new ApqCache(parts.redis, (text) => reading.documents.mayBeStored(text));
    const apollo = createApollo({ ...parts, ...reading, apq });
    await apollo.start();
    app.addHook('onClose', async () => apollo.stop());
    addFrontPage(app, { graphqlPath: PATH, isDevelopment: config.NODE_ENV === 'development', tryOut });
    await app.register(async (scope) => {
      await allowOrigins(scope, config.CORS_ORIGINS ?? []);
      admitPersistedGets(scope);
      addGraphqlRoute(scope, PATH, { ...parts, ...reading, apollo, apq, contextOf });
    });
    admitSockets(app.server, { sockets, connections, config, places, tokens, isDraining });
  }

  return {
    app,
    contextOf,
    listen: async () => addressOf(await listeners.listen(config.HOST, config.PORT)),
    endSessions: (isMeant, reason) => sockets.endSessions(isMeant, reason),
    close: async () => app.close(),
  };
}

function newApp(config: Config): FastifyInstance {
  const requestTimeout = config.HTTP_REQUEST_TIMEOUT_MS;
  return Fastify({
    logger: false,
    bodyLimit: config.HTTP_BODY_LIMIT_BYTES,
    forceCloseConnections: 'idle',
    // What is taken during the shutdown is answered, too, and its connection then closed.
    return503OnClosing: false,
    requestTimeout,
    http: {
      requestTimeout,
      headersTimeout: requestTimeout,
      // It would be refused without a word.
      requireHostHeader: false,
      connectionsCheckingInterval: LOOK_EVERY_MS,
      shouldUpgradeCallback: (request) => config.ROLE !== 'worker' && isSocketRequest(request, PATH),
    },
    clientErrorHandler: answerUnreadable,
    frameworkErrors: answerTransportError,
  });
}

function connectionLimits(config: Config): ConnectionLimits {
  return {
    connections: config.HTTP_CONNECTIONS_MAX,
    isProxy: (address) => config.TRUST_PROXY(address, 0),
    answerMs: config.HTTP_ANSWER_TIMEOUT_MS,
    bufferedBytes: config.SEND_BUFFER_TOTAL_BYTES,
  };
}

function socketBounds(config: Config): SocketBounds {
  return {
    total: config.WS_SOCKETS_TOTAL,
    totalAnonymous: Math.ceil(config.WS_SOCKETS_TOTAL / 2),
    anonymous: config.WS_SOCKETS_PER_ADDRESS,
    signedIn: config.WS_SIGNED_IN_SOCKETS_PER_ADDRESS,
  };
}

/** What reads operations and answers for the schema, shared by HTTP and WebSocket. */
function readingOf({ schema, config, shares }: HttpServerParts) {
  const budget = new ReadingBudget();
  const documents = new Documents(schema, documentLimits(config), budget);
  return { documents, answers: new SchemaAnswers(schema, budget, shares) };
}

interface DrainParts {
  readonly sockets: GraphqlSockets;
  readonly connections: Connections;
  readonly listeners: Listeners;
}

/** Closing the server closes the sockets first, because it waits for every connection. */
function drainsFirst(app: FastifyInstance, parts: DrainParts, graceMs: number): () => boolean {
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
  while (performance.now() < endMs && connections.count > 0) await pause(DRAIN_SWEEP_MS);
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
    ip: clientAddress(raw, config.TRUST_PROXY),
  };
  return new RequestScope(facts, log, events, access);
}

function addressOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
