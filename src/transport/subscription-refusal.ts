import type { ApolloServerPlugin, GraphQLRequestListener } from '@apollo/server';
import { GraphQLError, OperationTypeNode } from 'graphql';
import type { RequestContext } from '../graphql/context.js';

const MESSAGE =
  'A subscription needs a WebSocket: connect to this address by the protocol graphql-transport-ws.';
const extensions = { code: 'SUBSCRIPTION_OVER_HTTP' };

const listener: GraphQLRequestListener<RequestContext> = {
  didResolveOperation: async ({ operation }) => {
    if (operation?.operation === OperationTypeNode.SUBSCRIPTION)
      throw new GraphQLError(MESSAGE, { extensions });
  },
  // Also over GET and for clients that accept event streams alone, which Apollo refuses before and after for reasons
  // that would not help them.
  willSendResponse: async ({ operation, response }) => {
    if (operation?.operation !== OperationTypeNode.SUBSCRIPTION) return;
    response.http.status = 400;
    response.http.headers.delete('allow');
    response.http.headers.set('content-type', 'application/json; charset=utf-8');
    response.body = { kind: 'single', singleResult: { errors: [{ message: MESSAGE, extensions }] } };
  },
};

/** Refuses subscriptions over HTTP, where Apollo would run them like queries and fail. It speaks after other plugins. */
export const subscriptionRefusal: ApolloServerPlugin<RequestContext> = {
  requestDidStart: async () => listener,
};
