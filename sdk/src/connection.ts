import { NetworkError } from './errors.js';
import type { ConnectionOptions, RetryOptions } from './options.js';
import {
  globals,
  throwIfAborted,
  untilAborted,
  type FetchLike,
  type FetchReply,
  type Signal,
} from './platform.js';

const TIMEOUT_MS = 10_000;
const RETRY: Required<RetryOptions> = { deadlineMs: 30_000, firstPauseMs: 200, maxPauseMs: 5000 };

/** The options, checked, with their defaults. */
export interface Connection {
  readonly endpoint: string;
  /** Of the endpoint; an envelope is bound to it. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tenantId: string | undefined;
  readonly fetch: FetchLike;
  readonly timeoutMs: number;
  readonly retry: Required<RetryOptions>;
  readonly encryption: ConnectionOptions['encryption'];
}

/** @throws TypeError for options that cannot work */
export function connectionOf(options: ConnectionOptions): Connection {
  const endpoint = endpointOf(options.url);
  return {
    endpoint,
    path: endpoint.replace(/^https?:\/\/[^/]+/i, ''),
    headers: headersOf(options),
    tenantId: options.tenantId,
    fetch: options.fetch ?? platformFetch(),
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    retry: { ...RETRY, ...options.retry },
    encryption: encryptionOf(options),
  };
}

function endpointOf(url: string): string {
  if (!/^https?:\/\/[^/]/i.test(url))
    throw new TypeError(`The url "${url}" must begin with https:// or http:// and name a host.`);
  const bare = url.replace(/[?#].*$/, '').replace(/\/+$/, '');
  return bare.endsWith('/graphql') ? bare : `${bare}/graphql`;
}

/** The headers of every request, also given to a socket. */
function headersOf({ productCode, deviceId, tenantId, env }: ConnectionOptions) {
  if (!['web', 'app', 'mini'].includes(env)) throw new TypeError('env must be "web", "app" or "mini".');
  return {
    'apollographql-client-name': `@redeemkit/client ${env}`,
    ...(productCode !== undefined && { 'x-product-code': productCode }),
    ...(deviceId !== undefined && { 'x-device-id': deviceId }),
    ...(tenantId !== undefined && { 'x-tenant-id': tenantId }),
  };
}

function encryptionOf({ encryption, tenantId }: ConnectionOptions) {
  if (encryption !== undefined && tenantId === undefined)
    throw new TypeError('Encryption needs the tenantId: envelopes are bound to it.');
  return encryption;
}

function platformFetch(): FetchLike {
  const { fetch } = globals;
  if (fetch === undefined)
    throw new TypeError(
      'This platform has no fetch. Give one as an option, for example miniFetch(wx.request).',
    );
  // Browsers want it called as a function of the window.
  return async (url, init) => fetch(url, init);
}

export interface HttpCall {
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly timeoutMs: number;
  readonly signal: Signal | undefined;
}

export interface HttpReply {
  readonly status: number;
  readonly header: (name: string) => string | null;
  readonly text: string;
}

/**
 * One request. The time is up for the reply as a whole, also where the platform cannot abort a request.
 * @throws NetworkError, and the reason of the signal
 */
export async function exchange(connection: Connection, call: HttpCall): Promise<HttpReply> {
  throwIfAborted(call.signal);
  const controller = globals.AbortController && new globals.AbortController();
  let timer: unknown;
  const timeUp = new Promise<never>((_resolve, reject) => {
    timer = globals.setTimeout(() => {
      reject(new NetworkError('TIMED_OUT', `No answer came within ${call.timeoutMs} ms.`));
    }, call.timeoutMs);
  });
  const replied = wholeReply(async () =>
    connection.fetch(connection.endpoint, {
      method: 'POST',
      headers: call.headers,
      body: call.body,
      ...(controller && { signal: controller.signal }),
    }),
  );
  try {
    return await untilAborted(Promise.race([replied, timeUp]), call.signal);
  } finally {
    globals.clearTimeout(timer);
    // Ends what is still on its way; of no effect behind a whole reply.
    controller?.abort();
  }
}

async function wholeReply(send: () => Promise<FetchReply>): Promise<HttpReply> {
  try {
    const reply = await send();
    const text = await reply.text();
    return { status: reply.status, header: (name) => reply.headers.get(name), text };
  } catch (error) {
    throw new NetworkError('NETWORK_FAILED', 'The server was not reached, or the connection broke.', {
      cause: error,
    });
  }
}
