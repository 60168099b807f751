import type { Duplex } from 'node:stream';
import type { Logger } from '../platform/observability/log.js';
import { networkOf } from '../platform/network-of.js';
import { RareWarning } from '../platform/observability/rare-warning.js';
import type { TransportAnswer } from './raw-answer.js';

const RETRY_AFTER_S = '10';

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

type OfKind = Readonly<Record<Kind, Set<SocketPlace>>>;

export interface SocketBounds {
  /** Of all addresses: sockets of every kind, and of these the ones that were opened without a token. */
  readonly total: number;
  readonly totalAnonymous: number;
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
 * an address, and a part of all. New sockets share the many places of signed-in callers, and the oldest new one makes
 * room for the next caller. So neither sockets without a token, from however many addresses, nor sockets that never
 * introduce themselves keep signed-in callers out.
 */
export class SocketPlaces {
  private readonly networks = new Map<string, OfKind>();
  /** Of all networks, the oldest first. */
  private readonly all = noPlaces();
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
    if (sizeOf(this.all) >= this.bounds.total && !this.evictOldest(this.all.NEW)) {
      this.warn('WS_SOCKETS_TOTAL', network);
      return NONE_LEFT;
    }
    const place: SocketPlace = { socket, network, kind: isSignedIn ? 'SIGNED_IN' : 'NEW' };
    this.add(place);
    socket.once('close', () => this.remove(place));
    return place;
  }

  /** Counts the socket among those of its caller. @returns false when there are too many of them: close it */
  settle(place: SocketPlace, isSignedIn: boolean): boolean {
    if (!isSignedIn && !this.hasRoomForAnonymous(place.network)) return false;
    if (!this.remove(place)) return false;
    place.kind = isSignedIn ? 'SIGNED_IN' : 'ANONYMOUS';
    this.add(place);
    return true;
  }

  private hasRoomForAnonymous(network: string): boolean {
    const here = this.networks.get(network)?.ANONYMOUS.size ?? 0;
    const isFullHere = here >= this.bounds.anonymous;
    if (!isFullHere && this.all.ANONYMOUS.size < this.bounds.totalAnonymous) return true;
    this.warn(isFullHere ? 'WS_SOCKETS_PER_ADDRESS' : 'WS_SOCKETS_TOTAL', network);
    return false;
  }

  private add(place: SocketPlace): void {
    const { network, kind } = place;
    const here = this.networks.get(network) ?? noPlaces();
    this.networks.set(network, here);
    here[kind].add(place);
    this.all[kind].add(place);
  }

  /** @returns whether it was there */
  private remove(place: SocketPlace): boolean {
    const { network, kind } = place;
    const here = this.networks.get(network);
    if (here?.[kind].delete(place) !== true) return false;
    this.all[kind].delete(place);
    if (sizeOf(here) === 0) this.networks.delete(network);
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

function noPlaces(): OfKind {
  return { NEW: new Set(), ANONYMOUS: new Set(), SIGNED_IN: new Set() };
}

function sizeOf({ NEW, ANONYMOUS, SIGNED_IN }: OfKind): number {
  return NEW.size + ANONYMOUS.size + SIGNED_IN.size;
}
