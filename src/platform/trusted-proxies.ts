import type { IncomingMessage } from 'node:http';
import { SocketAddress, isIP } from 'node:net';
import proxyAddr from '@fastify/proxy-addr';

/** Whether the `x-forwarded-for` of the proxy with this address, at this distance from the process, is believed. */
export type TrustedProxies = (address: string, distance: number) => boolean;

const HOPS_MAX = 16;
const HOPS_OF: ReadonlyMap<string, number> = new Map([
  ['false', 0],
  ['true', 1],
]);
const NONE: TrustedProxies = () => false;

/**
 * Reads `TRUST_PROXY`: false, a number of proxies (true is one), or their addresses and networks.
 * @throws Error for anything else
 */
export function trustedProxies(text: string): TrustedProxies {
  const hops = HOPS_OF.get(text) ?? (/^\d+$/.test(text) ? Number(text) : null);
  if (hops === null) return proxyAddr.compile(text.split(',').map((part) => network(part.trim())));
  if (hops > HOPS_MAX) throw new RangeError(`More than ${HOPS_MAX} proxies.`);
  return hops === 0 ? NONE : (_address, distance) => distance < hops;
}

const NAMED: ReadonlySet<string> = new Set(['loopback', 'linklocal', 'uniquelocal']);

/** An address without all of its parts would be read as another one: `1.5` is 1.0.0.5. @throws Error */
function network(text: string): string {
  const [address = ''] = text.split('/', 1);
  if (NAMED.has(text) || isIP(address) !== 0) return text;
  throw new TypeError(`${text} is neither an address nor a network.`);
}

/**
 * The caller's address. Each proxy appends the address that it was called from, so the header is read from its end,
 * for as long as the proxy that wrote the entry is trusted; what lies before is the caller's own claim.
 */
export function clientAddress(request: IncomingMessage, isTrusted: TrustedProxies): string {
  let client = request.socket.remoteAddress ?? '';
  if (!isTrusted(client, 0)) return client;
  const [, ...forwarded] = proxyAddr.all(request);
  for (const [distance, entry] of forwarded.entries()) {
    const address = withoutPort(entry);
    // "unknown" and the like say nothing that limits could go by.
    if (!isTrusted(client, distance) || isIP(address) === 0) break;
    client = canonical(address);
  }
  return client;
}

/** Some proxies write the port too: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function withoutPort(entry: string): string {
  return entry.replace(/^\[([^\]]*)\](?::\d+)?$|^([\d.]+):\d+$/, '$1$2');
}

/** One spelling for each address; an IPv4 address stays one where it is written as IPv6. */
function canonical(address: string): string {
  if (isIP(address) === 4) return address;
  const { address: text } = new SocketAddress({ address, family: 'ipv6' });
  const ipv4 = text.replace(/^::ffff:/, '');
  return isIP(ipv4) === 4 ? ipv4 : text;
}
