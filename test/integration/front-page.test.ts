import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graphqlRequest } from '../support/graphql-client.js';
import { startTransport, type TransportServer } from '../support/transport-server.js';

const DEMO = { userToken: 'user-token', staffToken: 'staff-token', productCode: 'DEMO', codes: ['CODE'] };
const HTML = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

let development: TransportServer;
let production: TransportServer;
beforeAll(async () => {
  const tryOut = () => DEMO;
  development = await startTransport({ environment: { NODE_ENV: 'development' }, tryOut });
  production = await startTransport({ environment: { NODE_ENV: 'production' }, tryOut });
});
afterAll(async () => {
  await Promise.all([development?.close(), production?.close()]);
});

/** With headers that fetch does not let a caller set. */
async function get(url: string, headers: Record<string, string>): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers }, (reply) => {
      void text(reply).then((body) => resolve({ status: reply.statusCode ?? 0, body }), reject);
    });
    asked.on('error', reject).end();
  });
}

/** All that a page loads, by what its HTML says. */
const loadedBy = (html: string): string[] =>
  [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '');

describe('the front page', () => {
  it('links to what there is, and every link answers', async () => {
    for (const { url } of [development, production]) {
      const reply = await fetch(`${url}/`);
      expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
      const links = loadedBy(await reply.text());
      expect(links.includes('/graphiql')).toBe(url === development.url);
      expect(links).toEqual(expect.arrayContaining(['/graphql', '/healthz', '/readyz']));
      for (const link of links.filter((path) => path !== '/metrics'))
        expect([link, (await fetch(url + link, { headers: HTML })).status]).toEqual([link, 200]);
    }
  });

  it('is where a browser is led that opens the endpoint, or GraphiQL is', async () => {
    for (const [{ url }, door] of [
      [development, '/graphiql'],
      [production, '/'],
    ] as const) {
      const reply = await fetch(`${url}/graphql`, { headers: HTML, redirect: 'manual' });
      expect([reply.status, reply.headers.get('location')]).toEqual([303, door]);
    }
  });

  it('disturbs no client', async () => {
    const { url } = development;
    const asked = `${url}/graphql?query=${encodeURIComponent('{ __typename }')}`;
    const headers = { ...HTML, 'apollo-require-preflight': '1' };
    expect(await (await fetch(asked, { headers })).json()).toEqual({ data: { __typename: 'Query' } });
    expect((await fetch(`${url}/graphql`, { headers: { accept: 'application/json' } })).status).toBe(400);
    expect((await graphqlRequest(url, { query: '{ __typename }', headers: HTML })).status).toBe(200);
  });
});

describe('GraphiQL', () => {
  it('loads everything from this server, under a policy that allows nothing else and no script in the page', async () => {
    const { url } = development;
    const reply = await fetch(`${url}/graphiql`);
    const policy = reply.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).not.toContain('unsafe');
    expect(policy).not.toContain('http');
    const html = await reply.text();
    expect(html).not.toMatch(/<script(?![^>]* src=)|<style| on\w+=| style=/);
    const files = loadedBy(html);
    expect(files).toHaveLength(6);
    for (const file of files) {
      const loaded = await fetch(url + file);
      expect([file, loaded.status]).toEqual([file, 200]);
      expect(loaded.headers.get('content-type')).toMatch(/^text\/(javascript|css)/);
      expect((await loaded.text()).length).toBeGreaterThan(40);
    }
  });

  it("fills in the demo's headers for a page of this machine", async () => {
    const reply = await fetch(`${development.url}/graphiql/tabs.json`);
    expect(reply.headers.get('cache-control')).toBe('no-store');
    const { tabs } = (await reply.json()) as { tabs: { query: string; headers: string }[] };
    expect(tabs.map(({ headers }) => JSON.parse(headers) as unknown)).toEqual([
      { authorization: 'Bearer user-token', 'x-product-code': 'DEMO' },
      { authorization: 'Bearer user-token', 'x-product-code': 'DEMO' },
      { authorization: 'Bearer staff-token', 'x-product-code': 'DEMO' },
    ]);
  });

  it.each([
    ['a name that was made to lead here', { host: 'evil.example:4000' }],
    ['a name that looks like an address of this machine', { host: '127.0.0.1.evil.example' }],
    ['no host that can be read', { host: 'a b' }],
    ['a page of another site', { 'sec-fetch-site': 'cross-site' }],
    ['a page of another port', { 'sec-fetch-site': 'same-site' }],
    ['an address typed by the user', { 'sec-fetch-site': 'none' }],
  ])('tells no token to %s', async (_who, headers) => {
    const { body } = await get(`${development.url}/graphiql/tabs.json`, headers);
    expect(body).not.toContain('-token');
  });

  it('lets no other origin read what it is filled with', async () => {
    const reply = await fetch(`${development.url}/graphiql/tabs.json`, {
      headers: { origin: 'http://evil.example' },
    });
    expect(reply.headers.get('access-control-allow-origin')).toBeNull();
    expect(reply.headers.get('cross-origin-resource-policy')).toBe('same-origin');
  });

  it('is not there in production', async () => {
    for (const path of ['/graphiql', '/graphiql/tabs.json', '/graphiql/react.js'])
      expect((await fetch(production.url + path)).status).toBe(404);
  });
});
