import { createHash, randomUUID } from 'node:crypto';
import { ApolloClient, ApolloLink, ServerError, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { cacheExchange, Client, fetchExchange } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTransport, type TransportServer } from '../support/transport-server.js';

let server: TransportServer;
beforeAll(async () => {
  server = await startTransport();
});
afterAll(async () => server?.close());

/** Fetches, and records how. */
function recorded(): { calls: string[]; fetch: typeof fetch } {
  const calls: string[] = [];
  return {
    calls,
    fetch: async (input, init) => {
      const url = new URL(input instanceof Request ? input.url : input);
      const body = typeof init?.body === 'string' ? init.body : '';
      const hasText = url.searchParams.has('query') || body.includes('"query"');
      const reply = await fetch(input, init);
      calls.push(`${init?.method ?? 'GET'} ${hasText ? 'text' : 'hash'} ${reply.status}`);
      return reply;
    },
  };
}

/** A text that no server knows yet. */
const newQuery = () => `query A${randomUUID().replaceAll('-', '')}($text: String!) { echo(text: $text) }`;

const variables = { text: 'world' };

const sha256 = async (text: string): Promise<string> => createHash('sha256').update(text).digest('hex');

describe('automatic persisted queries by GET', () => {
  it('work from Apollo Client as its documents show: unknown, registered, and then by the hash alone', async () => {
    const { calls, fetch } = recorded();
    const uri = `${server.url}/graphql`;
    const clientOf = () =>
      new ApolloClient({
        cache: new InMemoryCache(),
        link: ApolloLink.from([
          new PersistedQueryLink({ sha256, useGETForHashedQueries: true }),
          new HttpLink({ uri, fetch }),
        ]),
      });
    const query = gql(newQuery());
    expect((await clientOf().query({ query, variables })).data).toMatchObject({ echo: 'world' });
    expect((await clientOf().query({ query, variables })).data).toMatchObject({ echo: 'world' });
    expect(calls).toEqual(['GET hash 200', 'POST text 200', 'GET hash 200']);
  });

  it('work from urql as its documents show', async () => {
    const { calls, fetch } = recorded();
    const url = `${server.url}/graphql`;
    const clientOf = () =>
      new Client({
        url,
        fetch,
        exchanges: [cacheExchange, persistedExchange({ preferGetForPersistedQueries: true }), fetchExchange],
      });
    const query = newQuery();
    expect((await clientOf().query(query, variables).toPromise()).data).toEqual({ echo: 'world' });
    expect((await clientOf().query(query, variables).toPromise()).data).toEqual({ echo: 'world' });
    expect(calls).toEqual(['GET hash 200', 'GET text 200', 'GET hash 200']);
  });
});

describe('a GET that is no persisted query', () => {
  it('still has to show that a browser would have asked for permission', async () => {
    const headers = { accept: 'application/json' };
    for (const search of ['query={__typename}', 'query={__typename}&variables={}']) {
      const reply = await fetch(`${server.url}/graphql?${search}`, { headers });
      expect([search, reply.status]).toEqual([search, 400]);
    }
    const extensions = encodeURIComponent('{"persistedQuery":{"version":1,"sha256Hash":"x"}}');
    const asImage = await fetch(`${server.url}/graphql?extensions=${extensions}`, {
      headers: { accept: 'image/*' },
    });
    expect(asImage.status).toBe(400);
  });
});

describe('a subscription by POST', () => {
  it('tells both clients clearly that it has to go over the WebSocket', async () => {
    const text = 'subscription { ticks }';
    const url = `${server.url}/graphql`;
    const urql = new Client({ url, exchanges: [fetchExchange], fetchSubscriptions: true });
    const told = await new Promise<string>((resolve) => {
      const { unsubscribe } = urql.subscription(text, {}).subscribe(({ error }) => {
        resolve(error?.message ?? 'no error');
        unsubscribe();
      });
    });
    expect(told).toMatch(/needs a WebSocket/);
    const apollo = new ApolloClient({ cache: new InMemoryCache(), link: new HttpLink({ uri: url }) });
    const error = await new Promise<unknown>((resolve) => {
      apollo.subscribe({ query: gql(text) }).subscribe(({ error: failure }) => resolve(failure));
    });
    expect(ServerError.is(error) ? [error.statusCode, error.bodyText] : error).toEqual([
      400,
      expect.stringContaining('needs a WebSocket'),
    ]);
  });
});
