import {
  ApolloServer,
  type ApolloServerPlugin,
  type GraphQLRequestContextWillSendResponse,
  type GraphQLRequestListener,
} from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import type { ApqCache } from './apq.redis.js';
import type { RequestContext } from '../graphql/context.js';
import { oneKeyOneMutation } from '../graphql/idempotency-key.js';
import { presentError, presentFormatted } from './error-format.js';
import { DocumentError, documentPlugin } from './document-plugin.js';
import type { TransportParts } from './parts.js';
import { subscriptionRefusal } from './subscription-refusal.js';

const APQ_TTL_S = 86_400;
const NEVER_STORED =
  'This text is never stored, because it is very long or holds a value written out. Send values as variables.';
/** Custom headers make a browser ask first, so a request with one is not a form that another site has sent. */
const CSRF_HEADERS = [
  'x-apollo-operation-name',
  'apollo-require-preflight',
  'authorization',
  'x-product-code',
];

/** Apollo with everything switched off that costs time and is not used here. */
export function createApollo(parts: TransportParts, apq: ApqCache): ApolloServer<RequestContext> {
  const { hideSuggestions } = parts;
  return new ApolloServer<RequestContext>({
    schema: parts.schema,
    nodeEnv: parts.config.NODE_ENV,
    logger: parts.log,
    // Introspection is one of the limits, so that the socket has the very same rule.
    introspection: true,
    // The plugin brings documents that are read and validated.
    documentStore: null,
    stringifyResult: (result) => `${parts.answers.stringify(result)}\n`,
    persistedQueries: { cache: apq, ttl: APQ_TTL_S },
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    csrfPrevention: { requestHeaders: CSRF_HEADERS },
    allowBatchedHttpRequests: false,
    formatError: (formatted) => presentFormatted(formatted, hideSuggestions),
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      documentPlugin(parts.documents, parts.answers, parts.shares),
      oneKeyOneMutation(),
      errorsPlugin(apq, hideSuggestions),
      subscriptionRefusal,
    ],
  });
}

/** Puts our form of each error into the reply: only here are the error, its cause and the request's id together. */
function errorsPlugin(apq: ApqCache, hideSuggestions: boolean): ApolloServerPlugin<RequestContext> {
  const listener: GraphQLRequestListener<RequestContext> = {
    willSendResponse: async (request) => presentErrors(request, apq, hideSuggestions),
  };
  return { requestDidStart: async () => listener };
}

function presentErrors(
  request: GraphQLRequestContextWillSendResponse<RequestContext>,
  apq: ApqCache,
  hideSuggestions: boolean,
): void {
  if (request.errors === undefined || request.response.body.kind !== 'single') return;
  const errors = request.errors.flatMap((error) => (error instanceof DocumentError ? error.errors : [error]));
  const isNeverStored = apq.isNeverStored(hashOf(request.request.extensions));
  request.response.body.singleResult.errors = errors.map((error) => {
    const shown = presentError(error, request.contextValue, hideSuggestions);
    // Clients go by the message and then send the text; the advice is for the people who wrote it.
    return isNeverStored && error.extensions['code'] === 'PERSISTED_QUERY_NOT_FOUND'
      ? { ...shown, extensions: { ...shown.extensions, advice: NEVER_STORED } }
      : shown;
  });
}

function hashOf(extensions: Readonly<Record<string, unknown>> | undefined): unknown {
  const persisted = extensions?.['persistedQuery'] as { readonly sha256Hash?: unknown } | null | undefined;
  return persisted?.sha256Hash;
}
