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
import type { GraphQLSchema } from 'graphql';
import type { Config } from '../config.js';
import type { Logger } from '../platform/log.js';
import type { ApqCache } from './apq.redis.js';
import type { RequestContext } from './context.js';
import { presentError, presentFormatted } from './error-format.js';
import type { DocumentLimits } from './limits.js';

const APQ_TTL_S = 86_400;

export interface ApolloParts {
  readonly schema: GraphQLSchema;
  readonly config: Config;
  readonly log: Logger;
  readonly limits: DocumentLimits;
  readonly apq: ApqCache;
}

/** Apollo with everything switched off that an operation would pay for and nobody here asks for. */
export function createApollo(parts: ApolloParts): ApolloServer<RequestContext> {
  const hideSuggestions = parts.config.NODE_ENV === 'production';
  return new ApolloServer<RequestContext>({
    schema: parts.schema,
    nodeEnv: parts.config.NODE_ENV,
    logger: parts.log,
    // Introspection is one of the limits, so that the socket has the very same rule.
    introspection: true,
    parseOptions: parts.limits.parseOptions,
    validationRules: parts.limits.rules,
    persistedQueries: { cache: parts.apq, ttl: APQ_TTL_S },
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    formatError: (formatted) => presentFormatted(formatted, hideSuggestions),
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      errorsPlugin(hideSuggestions),
    ],
  });
}

/** Puts our form of each error into the reply: only here are the error, its cause and the request's id together. */
function errorsPlugin(hideSuggestions: boolean): ApolloServerPlugin<RequestContext> {
  const listener: GraphQLRequestListener<RequestContext> = {
    willSendResponse: async (request) => presentErrors(request, hideSuggestions),
  };
  return { requestDidStart: async () => listener };
}

function presentErrors(
  request: GraphQLRequestContextWillSendResponse<RequestContext>,
  hideSuggestions: boolean,
): void {
  if (request.errors === undefined || request.response.body.kind !== 'single') return;
  request.response.body.singleResult.errors = request.errors.map((error) =>
    presentError(error, request.contextValue, hideSuggestions),
  );
}
