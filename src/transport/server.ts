import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import type { Config } from '../config.js';
import type { Actor } from '../graphql/actor.js';
import { clientAddress } from '../platform/trusted-proxies.js';
import { guardOperations } from './admission.js';
import { createApollo } from './apollo.js';
import { ApqCache } from './apq.redis.js';
import type { RequestContext } from '../graphql/context.js';
import { answerElsewhere } from './elsewhere.js';
import { addFrontPage } from './front-page.js';
import { addHealthRoutes } from './health.js';
import { Connections, type ConnectionLimits } from './connections.js';
import { allowOrigins } from './cors.js';
import { Documents } from './documents.js';
import { addConsolePages } from './console-pages.js';
import { openEnvelopes } from './envelopes/envelope-hooks.js';
import { addFileRoutes, addJsonRoutes, type FeatureRouteParts } from './feature-routes.js';
import { addGraphqlRoute } from './graphql-route.js';
import { documentLimits } from './limits.js';
import { drainsFirst } from './draining.js';
import { KeyCallers } from './key-callers.js';
import type { HttpServerParts, TransportParts } from './parts.js';
import { Listeners } from './listeners.js';
import { addOpenApi } from './openapi.js';
import { ReadingBudget } from './reading-budget.js';
import { RouteRules } from './route-rules.js';
import { SchemaAnswers } from './schema-answers.js';
import { admitPersistedGets } from './persisted-get.js';
import { authenticate, namedHeader, productCodeOf, requestIdOf, RequestScope } from './request-scope.js';
import { answerTransportError, answerTransportErrors } from './transport-errors.js';
import { answerUnreadable, answerUnroutable } from './unreadable.js';
import { SocketPlaces, type SocketBounds } from './socket-places.js';
import { traceRequests } from './request-traces.js';
import { admitSockets, isSocketRequest } from './upgrades.js';
import { GraphqlSockets } from './websocket.js';

const PATH = '/graphql';
/** How often node looks for requests that take too long; every half minute by itself. */
const LOOK_EVERY_MS = 500;

/** The server of one process, and how to stop it. */
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
  const { config, log, schema } = parts;
  const app = newApp(config);
  guardOperations(schema);
  const rules = new RouteRules(parts.permissions ?? {});
  rules.require(app);
  traceRequests(app);
  answerTransportErrors(app, log);
  const servesApi = config.ROLE !== 'worker';
  answerElsewhere(app, PATH);
  answerUnroutable(app.server);
  const transport = transportOf(parts);
  lookUpKeys(app, transport.keys);
  const connections = new Connections(app.server, connectionLimits(config), log);
  const sockets = new GraphqlSockets(transport);
  const listeners = new Listeners(app, log);
  const isDraining = drainsFirst(app, { sockets, connections, listeners }, config.DRAIN_GRACE_MS);
  addHealthRoutes(app, { checks: parts.health, metrics: parts.metrics, isDraining });
  const contextOf = (request: FastifyRequest): RequestContext => contextFrom(request, transport);
  // A worker answers how it fares, and nothing else.
  if (servesApi) {
    const { routes = [], shares, settings } = parts;
    if (settings !== undefined) openEnvelopes(app, { ...transport, settings, contextOf });
    const allowStream = connections.allowStream.bind(connections);
    const features = { routes, shares, rules, contextOf, allowStream };
    await addApi(app, transport, features);
    await addFileRoutes(app, features);
    admitSockets(app.server, { ...transport, sockets, connections, isDraining });
  }
  return {
    app,
    contextOf,
    listen: async () => addressOf(await listeners.listen(config.HOST, config.PORT)),
    endSessions: (isMeant, reason) => sockets.endSessions(isMeant, reason),
    close: async () => app.close(),
  };
}

function transportOf(parts: HttpServerParts): TransportParts {
  const { schema, config, log, shares } = parts;
  const budget = new ReadingBudget();
  const documents = new Documents(schema, documentLimits(config), budget);
  return {
    ...parts,
    documents,
    keys: new KeyCallers({ ...parts, documents }),
    answers: new SchemaAnswers(schema, budget, shares),
    places: new SocketPlaces(socketBounds(config), log),
    hideSuggestions: config.NODE_ENV === 'production',
  };
}

/** Whose an API key is has to be asked of the database; no request without one waits. */
function lookUpKeys(app: FastifyInstance, keys: KeyCallers): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const lookedUp = keys.lookUp(request.raw);
    if (lookedUp === null) done();
    else void proceed(lookedUp, done);
  });
}

async function proceed(lookedUp: Promise<void>, done: () => void): Promise<void> {
  await lookedUp;
  done();
}

/** GraphQL over HTTP, the routes that take JSON beside it, and the pages. */
async function addApi(
  app: FastifyInstance,
  parts: TransportParts,
  features: FeatureRouteParts,
): Promise<void> {
  const { config, documents, redis, tryOut = () => null } = parts;
  const apq = new ApqCache(redis, (text) => documents.mayBeStored(text));
  const apollo = createApollo(parts, apq);
  await apollo.start();
  app.addHook('onClose', async () => apollo.stop());
  const hasConsole = await addConsolePages(app, { hasOidc: config.OIDC_ISSUER !== undefined });
  const isDevelopment = config.NODE_ENV === 'development';
  addFrontPage(app, { graphqlPath: PATH, hasConsole, isDevelopment, tryOut });
  await app.register(async (scope) => {
    await allowOrigins(scope, config.CORS_ORIGINS ?? []);
    admitPersistedGets(scope);
    addGraphqlRoute(scope, PATH, { ...parts, apollo, apq, contextOf: features.contextOf });
    addJsonRoutes(scope, features);
    addOpenApi(scope, features);
  });
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

function contextFrom(
  request: FastifyRequest,
  { tokens, keys, access, config, log, events }: TransportParts,
): RequestContext {
  const { headers, raw } = request;
  const actor = keys.proofOf(raw)?.actor ?? authenticate(tokens, headers.authorization);
  const facts = {
    requestId: requestIdOf(headers),
    actor,
    tenantId: namedHeader(headers, 'x-tenant-id'),
    productCode: productCodeOf(actor, headers),
    deviceId: namedHeader(headers, 'x-device-id'),
    idempotencyKey: namedHeader(headers, 'idempotency-key'),
    ip: clientAddress(raw, config.TRUST_PROXY),
  };
  return new RequestScope(facts, log, events, access);
}

function addressOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
