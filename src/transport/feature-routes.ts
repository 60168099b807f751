import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { HttpRoute } from '../graphql/http-route.js';
import { RouteCall, type RouteCallParts } from './route-call.js';
import { sendRefusal } from './route-refusal.js';
import type { RouteRules } from './route-rules.js';
import { answerTransportError, transportAnswerOf } from './transport-errors.js';

/** The content types of a body that is sent as a file. */
export const FILE_TYPES = ['text/csv', 'application/octet-stream'];

export interface FeatureRouteParts extends RouteCallParts {
  readonly routes: readonly HttpRoute[];
  readonly rules: RouteRules;
}

const takesJson = ({ about }: HttpRoute): boolean => about.takes?.kind === 'JSON';

/** Routes of the features for files, streamed both ways, and for signed documents. */
export async function addFileRoutes(app: FastifyInstance, parts: FeatureRouteParts): Promise<void> {
  await app.register(async (scope) => {
    // The limit on bodies is for those that are held in memory.
    scope.addContentTypeParser(FILE_TYPES, (_request, payload, done) => done(null, payload));
    // As it was sent, because it is signed so.
    scope.removeContentTypeParser('application/json');
    scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    );
    for (const route of parts.routes) if (!takesJson(route)) addRoute(scope, route, parts);
  });
}

/** Routes of the features that take JSON, with the parser and the origins of the scope. */
export function addJsonRoutes(scope: FastifyInstance, parts: FeatureRouteParts): void {
  for (const route of parts.routes) if (takesJson(route)) addRoute(scope, route, parts);
}

function addRoute(scope: FastifyInstance, route: HttpRoute, { rules, ...parts }: FeatureRouteParts): void {
  const call = new RouteCall(route, rules.of(route.method, route.path), parts);
  scope.route({
    method: route.method,
    url: route.path,
    exposeHeadRoute: false,
    handler: async (request, reply) => call.answer(request, reply),
    ...(route.refusalBody !== undefined && { errorHandler: inRouteForm(route) }),
  });
}

/** What fastify refuses before the route is called, in the form of the route's own refusals. */
function inRouteForm(route: HttpRoute) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    const answer = transportAnswerOf(error);
    if (answer.status >= 500) answerTransportError(error, request, reply);
    else void sendRefusal(reply, route, { ...answer, field: null, retryAfterMs: null });
  };
}
