import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { RequestContext } from '../graphql/context.js';
import type { HttpRoute, RouteAnswer } from '../graphql/http-route.js';
import { DomainError } from '../platform/errors.js';
import { admit } from './admission.js';
import { presentError } from './error-format.js';

/** What is sent as a file. */
const FILE_TYPES = ['text/csv', 'application/octet-stream'];
/** Of refusals that are not 400. */
const STATUS: Readonly<Record<string, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  TENANT_NOT_ACTIVE: 403,
  USER_DISABLED: 403,
  SESSION_ENDED: 401,
  NODE_NOT_FOUND: 403,
  IMPORT_NOT_FOUND: 404,
  CODE_NOT_FOUND: 404,
  EXPORT_SCOPE_NOT_FOUND: 404,
  IMPORT_HAS_FILE: 409,
  ORDER_NOT_FOUND: 404,
  PAYMENT_CALLBACK_OFF: 404,
  SIGNATURE_MISMATCH: 401,
  TIMESTAMP_STALE: 401,
  PAYMENT_ID_REUSED: 409,
  PAYMENT_AMOUNT_DIFFERS: 409,
  PAYMENT_CURRENCY_DIFFERS: 409,
  ACCOUNT_HALTED: 409,
  IMPORT_FILE_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  SERVICE_UNAVAILABLE: 503,
};

interface FileRouteParts {
  readonly routes: readonly HttpRoute[];
  readonly contextOf: (request: FastifyRequest) => RequestContext;
  /** Lets a client take its time for a file, as long as it reads on. */
  readonly allowStream: (answer: ServerResponse) => void;
}

/** Routes of the features: files, streamed both ways, and signed documents. A refusal has the form of a GraphQL error, with a status of HTTP. */
export async function addFileRoutes(
  app: FastifyInstance,
  { routes, ...parts }: FileRouteParts,
): Promise<void> {
  await app.register(async (scope) => {
    // The limit on bodies is for those that are held in memory.
    scope.addContentTypeParser(FILE_TYPES, (_request, payload, done) => done(null, payload));
    // As it was sent, because it is signed so.
    scope.removeContentTypeParser('application/json');
    scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    );
    for (const route of routes)
      scope.route({
        method: route.method,
        url: route.path,
        exposeHeadRoute: false,
        handler: async (request, reply) => answered(request, reply, { route, ...parts }),
      });
  });
}

async function answered(
  request: FastifyRequest,
  reply: FastifyReply,
  { route, contextOf, allowStream }: Omit<FileRouteParts, 'routes'> & { readonly route: HttpRoute },
): Promise<FastifyReply> {
  let context: RequestContext | null = null;
  try {
    context = contextOf(request);
    await admit(context);
    const params = request.params as Record<string, string>;
    const body = route.method === 'PUT' ? fileOf(request) : Readable.from([]);
    allowStream(reply.raw);
    const document = request.body instanceof Uint8Array ? request.body : new Uint8Array();
    const query = firstValues(request.query);
    const headers = joinedValues(request.headers);
    const answer = await route.answer({ context, params, query, headers, body, document });
    return await send(reply, answer, context);
  } catch (error) {
    // The client has gone in the middle of its file, which is no fault of this side.
    if (request.raw.errored !== null) return reply.code(400).send();
    const shown = shownOf(error, context);
    const code = String(shown.extensions?.['code']);
    const isMistake = error instanceof DomainError || code === 'BAD_USER_INPUT';
    return reply.code(STATUS[code] ?? (isMistake ? 400 : 500)).send({ errors: [shown] });
  }
}

function fileOf({ body }: FastifyRequest): Readable {
  if (body instanceof Readable) return body;
  throw new DomainError('UNSUPPORTED_MEDIA_TYPE', 'Send the file as text/csv.');
}

async function send(
  reply: FastifyReply,
  { status = 200, contentType, fileName, body }: RouteAnswer,
  context: RequestContext,
): Promise<FastifyReply> {
  void reply.code(status).headers({
    'content-type': contentType,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(fileName !== undefined && { 'content-disposition': `attachment; filename="${fileName}"` }),
  });
  if (typeof body === 'string' || body instanceof Uint8Array) return reply.send(body);
  const stream = Readable.from(body);
  // The head is sent by then, so the client learns of it by the end of the connection.
  stream.on('error', (error) => context.log.error({ err: error }, 'A file was not sent to its end.'));
  return reply.send(stream);
}

/** @param context null where the headers of the caller could not be read */
function shownOf(error: unknown, context: RequestContext | null): GraphQLFormattedError {
  if (error instanceof DomainError) return { message: error.message, extensions: { code: error.code } };
  if (context !== null) return presentError(asGraphqlError(error), context, true);
  if (!(error instanceof GraphQLError)) throw error;
  return { message: error.message, extensions: { code: error.extensions['code'] } };
}

function asGraphqlError(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return error;
  const originalError = error instanceof Error ? error : new Error(String(error));
  return new GraphQLError(originalError.message, { originalError });
}

function joinedValues(headers: FastifyRequest['headers']): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}

function firstValues(query: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(query as Record<string, string | string[]>).map(([name, value]) => [
      name,
      Array.isArray(value) ? (value[0] ?? '') : value,
    ]),
  );
}
