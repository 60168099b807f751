import { GraphQLError, Kind, type GraphQLFormattedError } from 'graphql';
import { isStoreAway } from '../platform/failures.js';
import { BusyError } from '../platform/scheduling/fair-gate.js';
import { busyAnswer } from './caller.js';
import type { RequestContext } from '../graphql/context.js';

const INTERNAL = 'INTERNAL_SERVER_ERROR';

/** graphql-js proposes names that are like the one asked for; with introspection off that would tell the schema. */
const SUGGESTION = / ?Did you mean .*\?/s;

/**
 * The public form of an error that is no refusal. A fault becomes a request id and nothing else: its message and
 * stack go to the log, once, under the same id. The same function serves HTTP and WebSocket.
 */
export function presentError(
  error: GraphQLError,
  context: Pick<RequestContext, 'requestId' | 'log'>,
  hideSuggestions: boolean,
): GraphQLFormattedError {
  const busy = busyOf(error);
  if (busy !== undefined) {
    const answer = busyAnswer(busy);
    return { ...error.toJSON(), message: answer.message, extensions: publicPart(answer, codeOf(answer)) };
  }
  const code = codeOf(error);
  if (code === 'SERVICE_UNAVAILABLE' && storeFailureOf(error) !== undefined) {
    context.log.warn({ err: storeFailureOf(error), path: error.path }, 'A store did not answer.');
    return masked(error, code, 'The service cannot answer right now. Try again.', context.requestId);
  }
  if (code === INTERNAL) {
    context.log.error({ err: error.originalError ?? error, path: error.path }, 'A request failed.');
    return masked(error, code, 'Internal server error.', context.requestId);
  }
  return {
    ...error.toJSON(),
    message: shown(error.message, hideSuggestions),
    extensions: publicPart(error, code),
  };
}

/** The same for an error outside any operation, which Apollo formats by itself. */
export function presentFormatted(
  formatted: GraphQLFormattedError,
  hideSuggestions: boolean,
): GraphQLFormattedError {
  if (formatted.extensions?.['code'] === INTERNAL) {
    return { message: 'Internal server error.', extensions: { code: INTERNAL } };
  }
  return { ...formatted, message: shown(formatted.message, hideSuggestions) };
}

function codeOf(error: GraphQLError): string {
  const own = error.extensions['code'];
  if (typeof own === 'string' && own !== INTERNAL) return own;
  if (storeFailureOf(error) !== undefined) return 'SERVICE_UNAVAILABLE';
  return isCallersMistake(error) ? 'BAD_USER_INPUT' : INTERNAL;
}

/** Mistakes that graphql-js finds after validation and leaves without a code: variables, and arguments made of them. */
function isCallersMistake(error: GraphQLError): boolean {
  if (error.nodes?.some((node) => node.kind === Kind.VARIABLE_DEFINITION) === true) return true;
  const causes = [...causesOf(error)];
  if (!causes.every((cause) => cause instanceof GraphQLError)) return false;
  return (
    error.path === undefined || (error.message.startsWith('Argument "') && causes[0]?.nodes !== undefined)
  );
}

function storeFailureOf(error: GraphQLError): Error | undefined {
  return [...causesOf(error)].find(isStoreAway);
}

/** Work that was not begun, also where a subscription ends by it. */
function busyOf(error: GraphQLError): BusyError | undefined {
  return [...causesOf(error)].find((cause) => cause instanceof BusyError);
}

/** What the error wraps, outermost first. */
function* causesOf(error: GraphQLError): Generator<Error> {
  let cause = error.originalError;
  while (cause !== undefined) {
    yield cause;
    cause = cause instanceof GraphQLError ? cause.originalError : undefined;
  }
}

function masked(
  error: GraphQLError,
  code: string,
  message: string,
  requestId: string,
): GraphQLFormattedError {
  return { ...error.toJSON(), message, extensions: { code, requestId } };
}

/** The extensions that are meant for the caller: Apollo's instructions for the HTTP reply are not. */
function publicPart(error: GraphQLError, code: string): Record<string, unknown> {
  const { http: _http, stacktrace: _stacktrace, ...extensions } = error.extensions;
  return { ...extensions, code };
}

function shown(message: string, hideSuggestions: boolean): string {
  return hideSuggestions ? message.replace(SUGGESTION, '') : message;
}
