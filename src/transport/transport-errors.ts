import { isUtf8 } from 'node:buffer';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest, RequestPayload } from 'fastify';
import type { Logger } from '../platform/observability/log.js';
import { errorBody, type TransportAnswer } from './raw-answer.js';

const ENCODED = 'CONTENT_ENCODED';
const NO_HOST = 'NO_HOST';
const NOT_UTF8 = 'NOT_UTF8';
const URL_NOT_UTF8 = 'URL_NOT_UTF8';
const BAD_REQUEST = { status: 400, code: 'BAD_REQUEST' };

/** What fastify refuses before GraphQL sees it, in GraphQL's form. */
const ANSWERS: Readonly<Record<string, TransportAnswer>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    status: 413,
    code: 'REQUEST_TOO_LARGE',
    message: 'The request is too large.',
  },
  FST_ERR_CTP_EMPTY_JSON_BODY: { ...BAD_REQUEST, message: 'The body is empty.' },
  FST_ERR_CTP_INVALID_JSON_BODY: {
    ...BAD_REQUEST,
    message:
      'The body is not JSON, or has a key "__proto__", or a key "constructor" that holds "prototype". Send a JSON object.',
  },
  [NOT_UTF8]: { ...BAD_REQUEST, message: 'The body is not UTF-8. Encode the JSON as UTF-8.' },
  [URL_NOT_UTF8]: {
    ...BAD_REQUEST,
    message: 'The URL is not UTF-8. Percent-encode its parameters as UTF-8.',
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    ...BAD_REQUEST,
    message: 'The body is not as long as its header says.',
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    status: 415,
    code: 'UNSUPPORTED_MEDIA_TYPE',
    message: 'Send the body as application/json.',
  },
  [ENCODED]: {
    status: 415,
    code: 'UNSUPPORTED_MEDIA_TYPE',
    message: 'Send the body uncompressed, without content-encoding.',
    headers: { 'accept-encoding': 'identity' },
  },
  [NO_HOST]: { ...BAD_REQUEST, message: 'The host header is missing.' },
  FST_ERR_BAD_URL: { ...BAD_REQUEST, message: 'The path cannot be decoded.' },
  // The adapter builds a URL from the host header to read the search parameters.
  ERR_INVALID_URL: { ...BAD_REQUEST, message: 'The host header is not a host.' },
};

/** Makes the routes take JSON alone, and answer what is wrong with a request in GraphQL's form. */
export function answerTransportErrors(app: FastifyInstance, log: Logger): void {
  app.removeAllContentTypeParsers();
  // Decoding replaces wrong bytes without an error, and the replacement would be stored.
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    if (isUtf8(body)) void parseJson(request, body.toString(), done);
    else done(unfit(NOT_UTF8));
  });
  app.addHook('preParsing', refuseUnfit);
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const status = answerTransportError(error, request, reply);
    if (status >= 500) log.error({ err: error }, 'A request failed in the transport.');
    return reply;
  });
}

/** What fastify refused, as it is answered. */
export function transportAnswerOf({ code, statusCode }: FastifyError): TransportAnswer {
  return ANSWERS[code] ?? otherwise(statusCode);
}

/** @returns the status */
export function answerTransportError(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): number {
  const answer = transportAnswerOf(error);
  const modern = request.headers.accept?.includes('application/graphql-response+json') === true;
  const type = modern ? 'application/graphql-response+json' : 'application/json';
  void reply
    .code(answer.status)
    .headers({ ...answer.headers, 'content-type': `${type}; charset=utf-8` })
    .send(errorBody(answer));
  return answer.status;
}

/** What node and the parser of bodies would answer in another form, or with a message that misleads. */
function refuseUnfit(
  { headers, raw, url }: FastifyRequest,
  _reply: FastifyReply,
  payload: RequestPayload,
  done: (error: Error | null, payload?: RequestPayload) => void,
): void {
  const encoding = headers['content-encoding'];
  const isPlain = encoding === undefined || encoding === '' || encoding.toLowerCase() === 'identity';
  if (!isPlain) done(unfit(ENCODED));
  else if (headers.host === undefined && raw.httpVersion === '1.1') done(unfit(NO_HOST));
  else if (!isUtf8Url(url)) done(unfit(URL_NOT_UTF8));
  else done(null, payload);
}

/** Decoding replaces wrong bytes here, too. A "%" that encodes nothing stands for itself. */
function isUtf8Url(url: string): boolean {
  try {
    decodeURIComponent(url.replaceAll(/%(?![\da-f]{2})/gi, '%25'));
    return true;
  } catch {
    return false;
  }
}

function unfit(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function otherwise(status: number | undefined): TransportAnswer {
  if (status !== undefined && status >= 400 && status < 500) {
    return { ...BAD_REQUEST, status, message: 'The request is not possible.' };
  }
  return { status: 500, code: 'INTERNAL_SERVER_ERROR', message: 'Internal server error.' };
}
