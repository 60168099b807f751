import { isIP } from 'node:net';
import { Agent, errors, request, type Dispatcher } from 'undici';
import { AddressGuard } from './address-guard.js';
import { guardedConnector } from './guarded-connector.js';
import { nameLookup, type Lookup } from './name-lookup.js';
import { OutgoingError } from './outgoing.errors.js';

const CONNECT_TIMEOUT_MS = 5000;
const TIMEOUT_MS = 15_000;
const RESPONSE_BYTES_MAX = 65_536;
/** Connections to one host: more requests than that wait for each other. */
const CONNECTIONS_PER_HOST = 16;

export interface OutgoingRequest {
  readonly url: string;
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** For everything: name, connection, request and response. */
  readonly timeoutMs?: number;
  readonly responseBytesMax?: number;
  /** Where the response is longer: `FAIL` (the preset) throws, `CUT` answers its beginning. */
  readonly longResponse?: 'FAIL' | 'CUT';
  /** Ends the request early, with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface OutgoingResponse {
  /** Also of a redirect: none is followed. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface OutgoingHttpOptions {
  /** Networks that requests reach although they are not public, and without TLS; see `OUTGOING_ALLOWED_NETWORKS`. */
  readonly allowedNetworks?: readonly string[];
  readonly connectTimeoutMs?: number;
  readonly lookup?: Lookup;
  /** PEM certificates to trust instead of the usual ones. */
  readonly ca?: string;
}

/**
 * Sends requests to URLs that others have chosen. They reach public addresses only, over TLS: never this machine, its
 * network or the metadata of its cloud. The address is judged when the connection is made, after the name was resolved.
 * Redirects are not followed, and no proxy of the environment is used.
 */
export class OutgoingHttp {
  private readonly guard: AddressGuard;
  private readonly agent: Agent;

  constructor({
    allowedNetworks = [],
    connectTimeoutMs = CONNECT_TIMEOUT_MS,
    lookup = nameLookup(),
    ca,
  }: OutgoingHttpOptions = {}) {
    this.guard = new AddressGuard(allowedNetworks);
    this.agent = new Agent({
      connect: guardedConnector({
        guard: this.guard,
        lookup,
        connectTimeoutMs,
        ...(ca !== undefined && { ca }),
      }),
      connections: CONNECTIONS_PER_HOST,
      pipelining: 1,
    });
  }

  /** @throws OutgoingError, or the reason of the caller's signal */
  async send(outgoing: OutgoingRequest): Promise<OutgoingResponse> {
    const url = this.checkedUrl(outgoing.url);
    const timeoutMs = outgoing.timeoutMs ?? TIMEOUT_MS;
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = outgoing.signal === undefined ? timeout : AbortSignal.any([timeout, outgoing.signal]);
    try {
      const { statusCode, headers, body } = await request(url, {
        dispatcher: this.agent,
        method: outgoing.method ?? 'GET',
        headers: { ...outgoing.headers },
        body: outgoing.body ?? null,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
        signal,
      });
      return { status: statusCode, headers, body: await readBody(body, outgoing) };
    } catch (error) {
      outgoing.signal?.throwIfAborted();
      throw asOutgoingError(error, timeout);
    }
  }

  /**
   * The URL in its one spelling, where a request may be sent to it as far as can be seen without resolving its name.
   * @throws OutgoingError URL_NOT_ALLOWED, ADDRESS_NOT_ALLOWED
   */
  checkedUrl(text: string): URL {
    const url = URL.parse(text);
    if (url === null) throw new OutgoingError('URL_NOT_ALLOWED', 'The URL must be absolute.');
    const isPlain = url.protocol === 'http:';
    if (url.protocol !== 'https:' && !(isPlain && this.guard.allowsSome))
      throw new OutgoingError('URL_NOT_ALLOWED', 'The URL must begin with https://.');
    if (url.username !== '' || url.password !== '')
      throw new OutgoingError('URL_NOT_ALLOWED', 'The URL must not hold a name or a password.');
    if (url.port === '0') throw new OutgoingError('URL_NOT_ALLOWED', 'The port of the URL must not be 0.');
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    const passes = isPlain ? this.guard.isAllowed(host) : this.guard.isReachable(host);
    const isLocalName = /(?:^|\.)localhost\.?$/.test(host) && !this.guard.allowsSome;
    if (isLocalName || (isIP(host) !== 0 && !passes))
      throw new OutgoingError('ADDRESS_NOT_ALLOWED', 'The URL must lead to a public address.');
    return url;
  }

  /** Waits for requests that are under way. */
  async close(): Promise<void> {
    await this.agent.close();
  }
}

async function readBody(
  body: Dispatcher.ResponseData['body'],
  { responseBytesMax = RESPONSE_BYTES_MAX, longResponse = 'FAIL' }: OutgoingRequest,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop early destroys the stream, and its connection with it.
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    chunks.push(chunk);
    if (bytes > responseBytesMax) break;
  }
  if (bytes > responseBytesMax && longResponse === 'FAIL')
    throw new OutgoingError('RESPONSE_TOO_LARGE', `The response has more than ${responseBytesMax} bytes.`);
  return Buffer.concat(chunks).subarray(0, responseBytesMax);
}

function asOutgoingError(error: unknown, timeout: AbortSignal): OutgoingError {
  if (error instanceof OutgoingError) return error;
  const isLate =
    timeout.aborted ||
    error instanceof errors.ConnectTimeoutError ||
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError;
  return isLate
    ? new OutgoingError('TIMED_OUT', 'The host did not answer in time.', { cause: error })
    : new OutgoingError('CONNECTION_FAILED', 'The connection failed.', { cause: error });
}
