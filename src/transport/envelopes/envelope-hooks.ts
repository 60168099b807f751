import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError } from 'graphql';
import type { RequestContext } from '../../graphql/context.js';
import { callerOf } from '../caller.js';
import { presentError } from '../error-format.js';
import { EnvelopeOpener, type OpenedRequest, type OpenerParts } from './envelope-opener.js';

/** Says that the body is an envelope, and of which form; the reply says it as well. */
const HEADER = 'x-encryption';
/** Where device clients may send one. */
const PATHS: ReadonlySet<string | undefined> = new Set(['/graphql', '/api/redeem']);

export interface EnvelopeParts extends OpenerParts {
  readonly contextOf: (request: FastifyRequest) => RequestContext;
  readonly hideSuggestions: boolean;
}

interface Receipt {
  readonly version: string;
  /** Lets the request go on to its route. */
  readonly goOn: () => void;
}

const opened = new WeakMap<FastifyRequest, OpenedRequest>();

/**
 * Opens the envelopes of device clients before a route sees the request, and seals its reply. A request without the
 * header passes untouched, and so does every caller that is no device: staff, partners, nodes. A refusal of an envelope
 * is answered in plain text, because there may be no key to seal it by.
 */
export function openEnvelopes(app: FastifyInstance, parts: EnvelopeParts): void {
  const opener = new EnvelopeOpener(app, parts);
  app.addHook('preValidation', (request, reply, done) => {
    const version = request.headers[HEADER];
    if (version === undefined || !PATHS.has(request.routeOptions.url)) done();
    else void receive(request, reply, { version: String(version), goOn: done });
  });
  app.addHook<string | Buffer>('onSend', (request, reply, payload, done) => {
    const envelope = opened.get(request);
    if (envelope === undefined || (typeof payload !== 'string' && !Buffer.isBuffer(payload)))
      return done(null, payload);
    void reply
      .removeHeader('content-length')
      .headers({ 'content-type': 'application/json; charset=utf-8', [HEADER]: envelope.version });
    return done(null, envelope.seal(payload, reply.statusCode));
  });

  const receive = async (request: FastifyRequest, reply: FastifyReply, { version, goOn }: Receipt) => {
    let context: RequestContext | null = null;
    try {
      context = parts.contextOf(request);
      const envelope = await opener.open(request, context, version);
      if (envelope !== null) {
        opened.set(request, envelope);
        request.body = envelope.body;
      }
    } catch (error) {
      const refusal = context === null ? error : await inTurn(error, context, parts);
      return refuse(reply, asGraphqlError(refusal), context, parts.hideSuggestions);
    }
    return goOn();
  };
}

/** The refusal in its turn, or why it got none: refusals of operations take the same turns. */
async function inTurn(error: unknown, context: RequestContext, { shares }: OpenerParts): Promise<unknown> {
  try {
    await shares.refusing(callerOf(context));
    return error;
  } catch (busy) {
    return busy;
  }
}

/** @param context null where the headers of the caller could not be read */
function refuse(
  reply: FastifyReply,
  error: GraphQLError,
  context: RequestContext | null,
  hideSuggestions: boolean,
): void {
  const { message, extensions } = error;
  const shown =
    context === null
      ? { message, extensions: { code: extensions['code'] } }
      : presentError(error, context, hideSuggestions);
  const http = extensions['http'] as { status?: number; headers?: Map<string, string> } | undefined;
  const isAway = shown.extensions?.['code'] === 'SERVICE_UNAVAILABLE';
  void reply
    .code(http?.status ?? (isAway ? 503 : 500))
    .headers(Object.fromEntries(http?.headers ?? []))
    .header('content-type', 'application/json; charset=utf-8')
    .send(JSON.stringify({ errors: [shown] }));
}

function asGraphqlError(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return error;
  return new GraphQLError('Internal server error.', { originalError: error as Error });
}
