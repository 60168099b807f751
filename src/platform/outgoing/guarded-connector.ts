import type { LookupOptions } from 'node:dns';
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { callbackify, promisify } from 'node:util';
import { buildConnector, errors } from 'undici';
import type { AddressGuard } from './address-guard.js';
import type { Lookup } from './name-lookup.js';
import { OutgoingError } from './outgoing.errors.js';

export interface ConnectorParts {
  readonly guard: AddressGuard;
  readonly lookup: Lookup;
  readonly connectTimeoutMs: number;
  /** PEM certificates that are trusted instead of the usual ones. */
  readonly ca?: string;
}

/**
 * Connects to addresses that the guard lets pass, and only then begins TLS. A name is resolved here, once, and the
 * connection goes to the addresses that were judged: a name that resolves differently a moment later gains nothing.
 */
export function guardedConnector({
  guard,
  lookup,
  connectTimeoutMs,
  ca,
}: ConnectorParts): buildConnector.connector {
  const open = async (options: buildConnector.Options): Promise<Socket> => {
    const isPlain = options.protocol === 'http:';
    const hostname = options.hostname.replace(/^\[(.*)\]$/, '$1');
    const port = Number(options.port) || (isPlain ? 80 : 443);
    const passes = (address: string): boolean =>
      isPlain ? guard.isAllowed(address) : guard.isReachable(address);
    const socket = await openTcp({ hostname, port, passes, lookup, timeoutMs: connectTimeoutMs });
    return isPlain ? socket : withTls({ ...options, hostname, httpSocket: socket });
  };
  const overTcp = promisify<buildConnector.Options, Socket>(
    buildConnector({ timeout: connectTimeoutMs, allowH2: false, ...(ca !== undefined && { ca }) }) as never,
  );
  const withTls = async (options: buildConnector.Options): Promise<Socket> => {
    try {
      return await overTcp(options);
    } catch (error) {
      if (error instanceof errors.ConnectTimeoutError) throw error;
      throw new OutgoingError('TLS_FAILED', 'TLS could not be established.', { cause: error });
    }
  };
  return callbackify(open) as unknown as buildConnector.connector;
}

interface TcpTarget {
  readonly hostname: string;
  readonly port: number;
  readonly passes: (address: string) => boolean;
  readonly lookup: Lookup;
  readonly timeoutMs: number;
}

async function openTcp({ hostname, port, passes, lookup, timeoutMs }: TcpTarget): Promise<Socket> {
  // An address is not looked up, so a filter of lookups alone would let it pass.
  if (isIP(hostname) !== 0 && !passes(hostname)) throw addressNotAllowed();
  const socket = connectTcp({
    host: hostname,
    port,
    autoSelectFamily: true,
    noDelay: true,
    lookup: judged(lookup, passes),
  });
  const timer = setTimeout(
    () => socket.destroy(new OutgoingError('TIMED_OUT', 'The connection was not established in time.')),
    timeoutMs,
  );
  try {
    await connected(socket);
  } finally {
    clearTimeout(timer);
  }
  if (passes(socket.remoteAddress ?? '')) return socket;
  socket.destroy();
  throw addressNotAllowed();
}

/** One address that must not be reached refuses the name: a receiver has no reason to have it. */
function judged(lookup: Lookup, passes: (address: string) => boolean): LookupFunction {
  return callbackify(async (hostname: string, _options: LookupOptions) => {
    const addresses = await lookup(hostname).catch((error: unknown) => {
      throw nameNotResolved(error);
    });
    if (addresses.length === 0) throw nameNotResolved();
    if (addresses.some(({ address }) => !passes(address))) throw addressNotAllowed();
    return [...addresses];
  });
}

async function connected(socket: Socket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once('connect', resolve);
  // Stays: an error that nothing listens to would end the process.
  socket.on('error', reject);
  await promise;
}

function addressNotAllowed(): OutgoingError {
  return new OutgoingError(
    'ADDRESS_NOT_ALLOWED',
    'The host has an address that is not public, or not allowed without TLS.',
  );
}

function nameNotResolved(cause?: unknown): OutgoingError {
  return new OutgoingError('NAME_NOT_RESOLVED', 'The name of the host could not be resolved.', { cause });
}
