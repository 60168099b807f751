import type { Socket } from 'node:net';
import type { Logger } from '../platform/observability/log.js';
import { networkOf } from '../platform/network-of.js';
import { RareWarning } from '../platform/observability/rare-warning.js';

/** How many of an address are looked at for an idle one: looking must stay cheap beside accepting. */
const LOOK_AT_MAX = 100;

export interface PlaceRules {
  readonly total: number;
  /** Whether the address is that of a trusted proxy, whose connections are those of many clients. */
  readonly isProxy: (address: string) => boolean;
  /** Whether no answer and no event is due over this connection. */
  readonly isIdle: (socket: Socket) => boolean;
}

/**
 * The places for connections in one process. One address (IPv6: one /64) may have all of them while no other needs
 * one; when they are full, the address with most makes room for an address with fewer. So a client that holds many
 * connections shuts out no other. A connection of a trusted proxy is never ended for another.
 */
export class ConnectionPlaces {
  /** Of each address but those of proxies, the oldest first. */
  private readonly addresses = new Map<string, Set<Socket>>();
  private readonly warning: RareWarning;
  private taken = 0;

  constructor(
    private readonly rules: PlaceRules,
    log: Logger,
  ) {
    this.warning = new RareWarning(
      log,
      'Connections are ended: raise HTTP_CONNECTIONS_MAX if they are needed.',
    );
  }

  /** Takes a place until the connection closes. @returns false when there is none */
  take(socket: Socket): boolean {
    const peer = socket.remoteAddress ?? '';
    const address = this.rules.isProxy(peer) ? null : networkOf(peer);
    const own = address === null ? 0 : (this.addresses.get(address)?.size ?? 0);
    if (this.taken >= this.rules.total && !this.makeRoom(own)) return false;
    this.taken += 1;
    if (address !== null)
      this.addresses.set(address, (this.addresses.get(address) ?? new Set<Socket>()).add(socket));
    socket.once('close', () => this.leave(socket, address));
    return true;
  }

  /** An idle connection ends for any address that has fewer; one in use only where that makes them more equal. */
  private makeRoom(own: number): boolean {
    const [address, sockets] = this.fullest();
    this.warning.warn({ address, connections: sockets.size });
    if (sockets.size <= own) return false;
    const [oldest] = sockets;
    const idle = this.idleOf(sockets);
    const victim = idle ?? (sockets.size > own + 1 ? oldest : undefined);
    if (victim === undefined) return false;
    this.leave(victim, address);
    victim.destroy();
    return true;
  }

  private idleOf(sockets: ReadonlySet<Socket>): Socket | undefined {
    let looked = 0;
    for (const socket of sockets) {
      if (this.rules.isIdle(socket)) return socket;
      looked += 1;
      if (looked === LOOK_AT_MAX) break;
    }
    return undefined;
  }

  private fullest(): [address: string, sockets: ReadonlySet<Socket>] {
    let fullest: [string, ReadonlySet<Socket>] = ['', new Set()];
    for (const entry of this.addresses) if (entry[1].size > fullest[1].size) fullest = entry;
    return fullest;
  }

  /** Twice for a connection that was ended here, which counts once. */
  private leave(socket: Socket, address: string | null): void {
    if (address !== null) {
      const sockets = this.addresses.get(address);
      if (sockets?.delete(socket) !== true) return;
      if (sockets.size === 0) this.addresses.delete(address);
    }
    this.taken -= 1;
  }
}
