import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HostAddress } from '../../src/platform/outgoing/name-lookup.js';
import { OutgoingHttp, type OutgoingHttpOptions } from '../../src/platform/outgoing/outgoing-http.js';
import { OutgoingError } from '../../src/platform/outgoing/outgoing.errors.js';
import { TEST_CERTIFICATE } from '../support/test-certificate.js';

const LOOPBACK = { address: '127.0.0.1', family: 4 };
const PUBLIC = { address: '192.0.1.1', family: 4 };
const ALLOWED = ['127.0.0.0/8', '::1'];

let answer: RequestListener;
let requests: string[];
let connections: number;
let server: Server;
let tlsServer: Server;
const clients: OutgoingHttp[] = [];

const portOf = (of: Server): number => (of.address() as AddressInfo).port;

beforeEach(async () => {
  requests = [];
  connections = 0;
  answer = (_request, response) => response.end('hello');
  const listener: RequestListener = (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    answer(request, response);
  };
  server = createServer(listener);
  tlsServer = createTlsServer(TEST_CERTIFICATE, listener);
  for (const each of [server, tlsServer]) {
    each.on('connection', () => (connections += 1));
    await once(each.listen(0, '127.0.0.1'), 'listening');
  }
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map(async (each) => each.close()));
  for (const each of [server, tlsServer]) {
    each.closeAllConnections();
    await once(each.close(), 'close');
  }
});

function client(options: OutgoingHttpOptions = {}): OutgoingHttp {
  const made = new OutgoingHttp(options);
  clients.push(made);
  return made;
}

/** Resolves every name to these addresses, one set after another; the last one stays. */
function lookupOf(...answers: HostAddress[][]): NonNullable<OutgoingHttpOptions['lookup']> {
  return async () => Promise.resolve((answers.length > 1 ? answers.shift() : answers[0]) ?? []);
}

async function failureOf(sending: Promise<unknown>): Promise<string> {
  const error = await sending.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof OutgoingError) return error.failure;
  throw error instanceof Error ? error : new Error('The request was answered.');
}

describe('a request to a URL of others', () => {
  it.each([
    ['an address', 'https://127.0.0.1', {}],
    ['a name', 'https://receiver.example', { lookup: lookupOf([LOOPBACK]) }],
    [
      'a name with a public address, too',
      'https://receiver.example',
      { lookup: lookupOf([PUBLIC, LOOPBACK]) },
    ],
    [
      'a mapped address',
      'https://receiver.example',
      { lookup: lookupOf([{ address: '::ffff:127.0.0.1', family: 6 }]) },
    ],
    [
      'the loopback of IPv6',
      'https://receiver.example',
      { lookup: lookupOf([{ address: '::1', family: 6 }]) },
    ],
  ])('opens no connection to loopback by %s', async (_name, origin, options) => {
    const sending = client(options).send({ url: `${origin}:${portOf(tlsServer)}/hook` });
    expect(await failureOf(sending)).toBe('ADDRESS_NOT_ALLOWED');
    expect([connections, requests]).toEqual([0, []]);
  });

  it('judges the address that it connects to, when the name resolves to another one a moment later', async () => {
    const hook = { url: `https://receiver.example:${portOf(tlsServer)}/hook`, timeoutMs: 2000 };
    const rebinding = client({ lookup: lookupOf([PUBLIC], [LOOPBACK]), connectTimeoutMs: 300 });
    expect(['TIMED_OUT', 'CONNECTION_FAILED']).toContain(await failureOf(rebinding.send(hook)));
    expect(await failureOf(rebinding.send(hook))).toBe('ADDRESS_NOT_ALLOWED');
    expect([connections, requests]).toEqual([0, []]);
  });

  it('goes over TLS to a network of the list, with the name checked against the certificate', async () => {
    const its = { allowedNetworks: ALLOWED, lookup: lookupOf([LOOPBACK]), ca: TEST_CERTIFICATE.cert };
    const url = (name: string): string => `https://${name}:${portOf(tlsServer)}/hook`;
    const sent = await client(its).send({ url: url('receiver.example'), method: 'POST', body: '{}' });
    expect([sent.status, sent.body.toString()]).toEqual([200, 'hello']);
    expect((await client(its).send({ url: url('127.0.0.1') })).status).toBe(200);
    expect(await failureOf(client(its).send({ url: url('other.example') }))).toBe('TLS_FAILED');
    const { ca: _ca, ...usual } = its;
    expect(await failureOf(client(usual).send({ url: url('receiver.example') }))).toBe('TLS_FAILED');
    expect(requests).toEqual(['POST /hook', 'GET /hook']);
  });

  it('goes without TLS only to networks of the list', async () => {
    const url = `http://receiver.example:${portOf(server)}/hook`;
    const allowed = client({ allowedNetworks: ALLOWED, lookup: lookupOf([LOOPBACK]) });
    expect((await allowed.send({ url })).status).toBe(200);
    const other = client({ allowedNetworks: ['10.0.0.0/8'], lookup: lookupOf([PUBLIC]) });
    expect(await failureOf(other.send({ url }))).toBe('ADDRESS_NOT_ALLOWED');
    expect(await failureOf(client({ lookup: lookupOf([PUBLIC]) }).send({ url }))).toBe('URL_NOT_ALLOWED');
  });

  it.each([301, 302, 303, 307, 308])('does not follow a redirect (%i)', async (status) => {
    answer = (_request, response) =>
      response.writeHead(status, { location: `http://127.0.0.1:${portOf(server)}/secret` }).end();
    const url = `http://127.0.0.1:${portOf(server)}/hook`;
    expect((await client({ allowedNetworks: ALLOWED }).send({ url })).status).toBe(status);
    expect(requests).toEqual(['GET /hook']);
  });
});

describe('a host that behaves badly', () => {
  const send = async (its: Partial<Parameters<OutgoingHttp['send']>[0]>, port = portOf(server)) =>
    client({ allowedNetworks: ALLOWED }).send({
      url: `http://127.0.0.1:${port}/hook`,
      timeoutMs: 20_000,
      ...its,
    });

  it('is left when it does not answer in time', async () => {
    answer = () => undefined;
    expect(await failureOf(send({ timeoutMs: 300 }))).toBe('TIMED_OUT');
  });

  it('is left when it sends its answer drop by drop', async () => {
    answer = (_request, response) => {
      const drops = setInterval(() => response.write('.'), 20);
      response.on('close', () => clearInterval(drops));
    };
    expect(await failureOf(send({ timeoutMs: 400 }))).toBe('TIMED_OUT');
  });

  it('cannot fill the memory: a long answer fails, or is cut, and the connection is closed', async () => {
    let closed = 0;
    answer = (_request, response) => {
      const pour = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', pour).on('close', () => (closed += 1));
      pour();
    };
    expect(await failureOf(send({ responseBytesMax: 1000 }))).toBe('RESPONSE_TOO_LARGE');
    const cut = await send({ responseBytesMax: 1000, longResponse: 'CUT' });
    expect(cut.body.length).toBe(1000);
    await expect.poll(() => closed).toBe(2);
  });

  it('fails the request when it refuses or cuts the connection', async () => {
    answer = (request) => request.socket.destroy();
    expect(await failureOf(send({}))).toBe('CONNECTION_FAILED');
    const gone = createTcpServer();
    await once(gone.listen(0, '127.0.0.1'), 'listening');
    const { port } = gone.address() as AddressInfo;
    await once(gone.close(), 'close');
    expect(await failureOf(send({}, port))).toBe('CONNECTION_FAILED');
  });

  it('is left when it accepts the connection and never begins TLS', async () => {
    const silent = createTcpServer((socket) => socket.on('error', () => undefined).resume());
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    const { port } = silent.address() as AddressInfo;
    const http = client({ allowedNetworks: ALLOWED, connectTimeoutMs: 500 });
    const sending = http.send({ url: `https://127.0.0.1:${port}/hook`, timeoutMs: 10_000 });
    expect(await failureOf(sending)).toBe('TIMED_OUT');
    // Which waits for the connection to be closed.
    await once(silent.close(), 'close');
  });

  it('is named when its name does not exist', async () => {
    const lookup = async (): Promise<HostAddress[]> => Promise.reject(new Error('ENOTFOUND'));
    expect(await failureOf(client({ lookup }).send({ url: 'https://receiver.example' }))).toBe(
      'NAME_NOT_RESOLVED',
    );
    const empty = client({ lookup: lookupOf([]) });
    expect(await failureOf(empty.send({ url: 'https://receiver.example' }))).toBe('NAME_NOT_RESOLVED');
  });

  it('ends the request with the reason of the caller, when the caller gives up', async () => {
    answer = () => undefined;
    const giveUp = new AbortController();
    const sending = send({ signal: giveUp.signal });
    setTimeout(() => giveUp.abort(new Error('stopping')), 50);
    await expect(sending).rejects.toThrow('stopping');
  });
});
