import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError } from 'graphql';
import type { RequestContext } from '../graphql/context.js';
import type { HttpRoute, RouteAnswer, RouteRequest } from '../graphql/http-route.js';
import { requirePermission } from '../graphql/permit-operations.js';
import { recordedFor } from '../graphql/recorded-operation.js';
import type { Rule } from '../graphql/rule.js';
import { DomainError } from '../platform/errors.js';
import { admit, admitKey } from './admission.js';
import { callerOf } from './caller.js';
import { guardedStream } from './guarded-stream.js';
import { refusalOf, sendRefusal } from './route-refusal.js';
import type { WorkShares } from './work-shares.js';

export interface RouteCallParts {
  readonly contextOf: (request: FastifyRequest) => RequestContext;
  /** Lets a client take its time for a file, as long as it reads on. */
  readonly allowStream: (answer: ServerResponse) => void;
  readonly shares: Pick<WorkShares, 'urgently'>;
}

/** One route of a feature: who asks, whether they may, what the feature answers. */
export class RouteCall {
  constructor(
    private readonly route: HttpRoute,
    private readonly rule: Rule,
    private readonly parts: RouteCallParts,
  ) {}

  async answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    let context: RequestContext | null = null;
    try {
      context = this.parts.contextOf(request);
      void reply.header('x-request-id', context.requestId);
      await (this.route.judgesAccess === true ? admitKey(context) : admit(context));
      requirePermission(this.rule, context);
      const asked = this.requestOf(request, context);
      if (this.route.about.takes?.kind !== 'JSON') this.parts.allowStream(reply.raw);
      return await send(reply, await this.run(asked), context);
    } catch (error) {
      // The client has gone in the middle of its file, which is no fault of this side.
      if (request.raw.errored !== null) return reply.code(400).send();
      return sendRefusal(reply, this.route, refusalOf(error, this.route, context));
    }
  }

  /** A redemption takes the same places as one that came as a mutation. */
  private async run(asked: RouteRequest): Promise<RouteAnswer> {
    const { route, parts } = this;
    const { context, params, query } = asked;
    const recorded = {
      name: `${route.method} ${route.path}`,
      input: { ...params, ...query },
      signsStaffIn: route.signsStaffIn === true,
    };
    if (route.isRedemption !== true) return recordedFor(context, recorded, async () => route.answer(asked));
    return parts.shares.urgently(callerOf(asked.context), async () => route.answer(asked));
  }

  private requestOf(request: FastifyRequest, context: RequestContext): RouteRequest {
    const { body } = request;
    const kind = this.route.about.takes?.kind;
    return {
      context,
      params: request.params as Record<string, string>,
      query: firstValues(request.query),
      headers: joinedValues(request.headers),
      body: kind === 'FILE' ? fileOf(body) : Readable.from([]),
      document: kind === 'SIGNED' && body instanceof Uint8Array ? body : new Uint8Array(),
      json: kind === 'JSON' ? body : undefined,
    };
  }
}

function fileOf(body: unknown): Readable {
  if (body instanceof Readable) return body;
  throw new DomainError('UNSUPPORTED_MEDIA_TYPE', 'Send the file as text/csv.');
}

async function send(
  reply: FastifyReply,
  { status = 200, contentType, headers, fileName, body }: RouteAnswer,
  context: RequestContext,
): Promise<FastifyReply> {
  void reply.code(status).headers({
    ...headers,
    'content-type': contentType,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(fileName !== undefined && { 'content-disposition': `attachment; filename="${fileName}"` }),
  });
  if (typeof body === 'string' || body instanceof Uint8Array) return reply.send(body);
  const stream = guardedStream(body, context);
  stream.on('error', (error) => {
    const isRefusal = error instanceof GraphQLError;
    if (isRefusal)
      context.log.info({ err: error }, 'A file was cut, because its caller may no longer read it.');
    else context.log.error({ err: error }, 'A file was not sent to its end.');
    // Also a client that takes the end of the connection for the end of the file learns by a reset that it is not whole.
    if (isRefusal || reply.raw.headersSent) reply.raw.socket?.resetAndDestroy();
  });
  return reply.send(stream);
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
