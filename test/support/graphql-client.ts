import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';

export interface GraphqlCall {
  readonly query?: string;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string;
  readonly extensions?: Record<string, unknown>;
  readonly token?: string;
  readonly headers?: Record<string, string>;
}

export interface GraphqlErrorAnswer {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions: { readonly code: string } & Readonly<Record<string, unknown>>;
}

export interface GraphqlAnswer<Data = Record<string, unknown>> {
  readonly data?: Data | null;
  readonly errors?: readonly GraphqlErrorAnswer[];
}

export interface GraphqlHttpAnswer<Data> extends GraphqlAnswer<Data> {
  readonly status: number;
  readonly headers: Headers;
}

/** One operation over HTTP. `url` is the server's address, with or without `/graphql`. */
export async function graphqlRequest<Data = Record<string, unknown>>(
  url: string,
  call: GraphqlCall,
): Promise<GraphqlHttpAnswer<Data>> {
  const { token, headers, ...body } = call;
  const reply = await fetch(endpoint(url), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: JSON.stringify(body),
  });
  const answer = (await reply.json()) as GraphqlAnswer<Data>;
  return { ...answer, status: reply.status, headers: reply.headers };
}

export interface GraphqlStream<Data> {
  /** The next event; throws when the socket closes first, and answers null when the stream has ended. */
  next(): Promise<GraphqlAnswer<Data> | null>;
  close(): Promise<void>;
}

/** A socket that is open, for several operations. */
async function connectedClient(url: string, token: string, headers: Record<string, string> = {}) {
  const client = createClient({
    url: endpoint(url).replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    lazy: false,
    onNonLazyError: () => undefined,
    connectionParams: { ...(token === '' ? {} : { authorization: `Bearer ${token}` }), ...headers },
  });
  await new Promise<void>((resolve, reject) => {
    client.on('connected', () => resolve());
    client.on('closed', (event) => reject(closeError(event)));
  });
  return client;
}

/** A subscription over WebSocket. Headers go as connection parameters, as they do from a browser. */
export async function graphqlSubscribe<Data = Record<string, unknown>>(
  url: string,
  call: GraphqlCall & { readonly query: string },
): Promise<GraphqlStream<Data>> {
  const { token, headers, query, variables } = call;
  const client = await connectedClient(url, token ?? '', headers);
  const events = client.iterate({ query, ...(variables === undefined ? {} : { variables }) });
  return {
    next: async () => {
      try {
        const event = await events.next();
        return event.done === true ? null : (event.value as GraphqlAnswer<Data>);
      } catch (error) {
        // An error frame is an answer; anything else is the end of the socket.
        if (Array.isArray(error)) return { errors: error as GraphqlErrorAnswer[] };
        throw closeError(error);
      }
    },
    close: async () => client.dispose(),
  };
}

function closeError(event: unknown): Error {
  const { code, reason } = event as { code?: number; reason?: string };
  return new Error(`The socket was closed: ${code} ${reason}`);
}

function endpoint(url: string): string {
  return url.endsWith('/graphql') ? url : `${url.replace(/\/$/, '')}/graphql`;
}
