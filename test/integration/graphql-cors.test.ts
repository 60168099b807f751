import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawConnection, upgradeRequest } from '../support/raw-connection.js';
import { startTransport, type TransportServer } from '../support/transport-server.js';

const SHOP = 'https://shop.example';
const HEADERS =
  'authorization,content-type,x-product-code,x-device-id,idempotency-key,x-request-id,x-tenant-id,x-encryption,apollo-require-preflight';

let listed: TransportServer;
let open: TransportServer;
let closed: TransportServer;
beforeAll(async () => {
  listed = await startTransport({ environment: { CORS_ORIGINS: `${SHOP}, http://localhost:5173` } });
  open = await startTransport({ environment: { CORS_ORIGINS: '*' } });
  closed = await startTransport();
});
afterAll(async () => {
  await Promise.all([listed, open, closed].map(async (server) => server?.close()));
});

async function preflight({ url }: TransportServer, origin: string) {
  const headers = {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': HEADERS,
  };
  const { status, headers: given } = await fetch(`${url}/graphql`, { method: 'OPTIONS', headers });
  return { status, given: (name: string) => given.get(name) };
}

async function post({ url }: TransportServer, origin: string) {
  const headers = { origin, 'content-type': 'application/json' };
  const body = '{"query":"{ __typename }"}';
  const { status, headers: given } = await fetch(`${url}/graphql`, { method: 'POST', headers, body });
  return { status, given: (name: string) => given.get(name) };
}

async function upgradeStatus({ url }: TransportServer, origin: string | null): Promise<number> {
  const connection = await RawConnection.open(url);
  connection.send(upgradeRequest('/graphql', { origin }));
  const [, status] = await connection.answers(/^HTTP\/1\.1 (\d+)/);
  connection.reset();
  return Number(status);
}

describe('pages of other origins', () => {
  it('get a preflight that allows the method and every header of the API, where they are listed', async () => {
    const { status, given } = await preflight(listed, SHOP);
    expect(status).toBe(204);
    expect(given('access-control-allow-origin')).toBe(SHOP);
    expect(given('vary')).toMatch(/origin/i);
    expect(given('access-control-allow-methods')).toBe('GET, POST');
    expect(Number(given('access-control-max-age'))).toBeGreaterThan(600);
    const allowed = given('access-control-allow-headers')?.split(', ');
    expect(allowed).toEqual(expect.arrayContaining(HEADERS.split(',')));
  });

  it('read answers and their headers, where they are listed, errors included', async () => {
    const { status, given } = await post(listed, SHOP);
    expect([status, given('access-control-allow-origin')]).toEqual([200, SHOP]);
    expect(given('access-control-expose-headers')).toBe('x-request-id, retry-after, x-encryption');
    const bad = await fetch(`${listed.url}/graphql`, {
      method: 'POST',
      headers: { origin: SHOP, 'content-type': 'application/json' },
      body: 'no JSON',
    });
    expect([bad.status, bad.headers.get('access-control-allow-origin')]).toEqual([400, SHOP]);
  });

  it('get no permission where they are not listed', async () => {
    for (const origin of ['https://evil.example', 'https://shop.example.evil.example', 'null']) {
      expect((await preflight(listed, origin)).given('access-control-allow-origin')).toBeNull();
      expect((await post(listed, origin)).given('access-control-allow-origin')).toBeNull();
    }
  });

  it('are all allowed by *', async () => {
    expect((await preflight(open, 'https://any.example')).given('access-control-allow-origin')).toBe('*');
    expect((await post(open, 'https://any.example')).given('access-control-allow-origin')).toBe('*');
    expect(await upgradeStatus(open, 'https://any.example')).toBe(101);
  });

  it('get an error in the one form with the methods there are, where no origins are set', async () => {
    const { status, given } = await preflight(closed, SHOP);
    expect([status, given('allow'), given('access-control-allow-origin')]).toEqual([405, 'GET, POST', null]);
  });

  it('open a WebSocket only where they are listed; own pages and clients that are no browser always do', async () => {
    expect(await upgradeStatus(listed, SHOP)).toBe(101);
    expect(await upgradeStatus(listed, 'https://evil.example')).toBe(403);
    expect(await upgradeStatus(listed, 'null')).toBe(403);
    expect(await upgradeStatus(listed, null)).toBe(101);
    // The request names this host.
    expect(await upgradeStatus(listed, 'http://127.0.0.1')).toBe(101);
    expect(await upgradeStatus(closed, SHOP)).toBe(101);
  });
});

describe('a worker', () => {
  it('serves health and metrics, and neither operations nor sockets', async () => {
    const worker = await startTransport({ environment: { ROLE: 'worker' } });
    expect((await fetch(`${worker.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${worker.url}/readyz`)).status).toBe(200);
    expect(await post(worker, SHOP)).toMatchObject({ status: 404 });
    expect(await upgradeStatus(worker, null)).toBe(404);
    await worker.close();
  });
});
