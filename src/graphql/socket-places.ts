import type { Duplex } from 'node:stream';
import type { TransportAnswer } from './raw-answer.js';

const RETRY_AFTER_S = '10';
/** Groups of an IPv6 address that name a network; a single client has all addresses of one. */
const NETWORK_GROUPS = 4;

const NONE_LEFT: TransportAnswer = {
  status: 503,
  code: 'SERVICE_UNAVAILABLE',
  message: 'This process has as many WebSockets as it may. Try again later.',
  headers: { 'retry-after': RETRY_AFTER_S },
};
const TOO_MANY_HERE: TransportAnswer = {
  status: 429,
  code: 'TOO_MANY_SOCKETS',
  message: 'Your address has as many WebSockets at this process as it may. Close one, or try again later.',
  headers: { 'retry-after': RETRY_AFTER_S },
};

/** The places for WebSockets in one process: in all, and for one address. A place is taken before the handshake. */
export class SocketPlaces {
  private readonly taken = new Map<string, number>();
  private total = 0;

  constructor(private readonly most: { readonly total: number; readonly perAddress: number }) {}

  /** Takes a place until the connection closes. @returns why there is none; null when it was taken */
  take(socket: Duplex, address: string): TransportAnswer | null {
    const network = networkOf(address);
    const here = this.taken.get(network) ?? 0;
    if (here >= this.most.perAddress) return TOO_MANY_HERE;
    if (this.total >= this.most.total) return NONE_LEFT;
    this.count(network, 1);
    socket.once('close', () => this.count(network, -1));
    return null;
  }

  private count(network: string, change: 1 | -1): void {
    const here = (this.taken.get(network) ?? 0) + change;
    this.total += change;
    if (here === 0) this.taken.delete(network);
    else this.taken.set(network, here);
  }
}

/** An IPv4 address itself; of an IPv6 address the network, which its client can fill as it likes. */
function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (!plain.includes(':')) return plain;
  const [head = '', tail] = plain.split('::');
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - groups.length - after.length;
  const all = [...groups, ...Array.from({ length: Math.max(0, zeros) }, () => '0'), ...after];
  return all
    .slice(0, NETWORK_GROUPS)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':');
}
