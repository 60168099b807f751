import type { Duplex } from 'node:stream';
import type { Logger } from '../platform/log.js';
import { RareWarning } from '../platform/rare-warning.js';
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

/** A browser cannot send its token with the handshake, so a socket is NEW until `connection_init` brings one or none. */
type Kind = 'NEW' | 'ANONYMOUS' | 'SIGNED_IN';

export interface SocketBounds {
  readonly total: number;
  /** For one address: sockets that were opened without a token. */
  readonly anonymous: number;
  /** For one address: sockets of signed-in callers, and new ones. */
  readonly signedIn: number;
}

/** What one socket takes until its connection closes. */
export interface SocketPlace {
  readonly socket: Duplex;
  readonly network: string;
  kind: Kind;
}

/**
 * The places for WebSockets in one process: in all, and for one address. Callers without a token have few places of
 * an address. New sockets share the many places of signed-in callers, and the oldest new one makes room for the next
 * caller. So neither sockets without a token nor sockets that never introduce themselves keep signed-in callers out.
 */
export class SocketPlaces {
  private readonly networks = new Map<string, Readonly<Record<Kind, Set<SocketPlace>>>>();
  /** Of all networks, the oldest first. */
  private readonly fresh = new Set<SocketPlace>();
  private total = 0;
  private readonly refusals: RareWarning;

  constructor(
    private readonly bounds: SocketBounds,
    log: Logger,
  ) {
    this.refusals = new RareWarning(
      log,
      'WebSockets are refused: raise the bound, or set TRUST_PROXY if the address is that of a proxy.',
    );
  }

  /** Takes a place before the handshake, which costs more than a refusal. @returns the place, or why there is none */
  take(socket: Duplex, address: string, isSignedIn: boolean): SocketPlace | TransportAnswer {
    const network = networkOf(address);
    const here = this.networks.get(network);
    const taken = here === undefined ? 0 : here.NEW.size + here.SIGNED_IN.size;
    if (taken >= this.bounds.signedIn && !this.evictOldest(here?.NEW)) {
      this.warn('WS_SIGNED_IN_SOCKETS_PER_ADDRESS', network);
      return TOO_MANY_HERE;
    }
    if (this.total >= this.bounds.total && !this.evictOldest(this.fresh)) {
      this.warn('WS_SOCKETS_TOTAL', network);
      return NONE_LEFT;
    }
    const place: SocketPlace = { socket, network, kind: isSignedIn ? 'SIGNED_IN' : 'NEW' };
    this.add(place);
    socket.once('close', () => this.remove(place));
    return place;
  }

  /** Counts the socket among those of its caller. @returns false when its address has too many of them: close it */
  settle(place: SocketPlace, isSignedIn: boolean): boolean {
    const kind = isSignedIn ? 'SIGNED_IN' : 'ANONYMOUS';
    const anonymous = this.networks.get(place.network)?.ANONYMOUS.size ?? 0;
    if (kind === 'ANONYMOUS' && anonymous >= this.bounds.anonymous) {
      this.warn('WS_SOCKETS_PER_ADDRESS', place.network);
      return false;
    }
    if (!this.remove(place)) return false;
    place.kind = kind;
    this.add(place);
    return true;
  }

  private add(place: SocketPlace): void {
    const { network, kind } = place;
    const here = this.networks.get(network) ?? { NEW: new Set(), ANONYMOUS: new Set(), SIGNED_IN: new Set() };
    this.networks.set(network, here);
    here[kind].add(place);
    if (kind === 'NEW') this.fresh.add(place);
    this.total += 1;
  }

  /** @returns whether it was there */
  private remove(place: SocketPlace): boolean {
    const { network, kind } = place;
    const here = this.networks.get(network);
    if (here?.[kind].delete(place) !== true) return false;
    this.fresh.delete(place);
    this.total -= 1;
    if (here.NEW.size + here.ANONYMOUS.size + here.SIGNED_IN.size === 0) this.networks.delete(network);
    return true;
  }

  /** A flood needs many sockets at once to push out a client that introduces itself within one round trip. */
  private evictOldest(fresh: ReadonlySet<SocketPlace> | undefined): boolean {
    const [oldest] = fresh ?? [];
    if (oldest === undefined) return false;
    this.remove(oldest);
    oldest.socket.destroy();
    return true;
  }

  private warn(bound: string, address: string): void {
    this.refusals.warn({ bound, address });
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
