import type { Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import type { Logger } from '../platform/observability/log.js';
import { RareWarning } from '../platform/observability/rare-warning.js';
import { ConnectionPlaces } from './connection-places.js';

const SWEEP_EVERY_MS = 250;
/** Requests that may wait behind another one of their connection for its answer. No browser sends any. */
const PIPELINED_MAX = 16;

export interface ConnectionLimits {
  readonly connections: number;
  /** Whether the peer with this address is a trusted proxy. */
  readonly isProxy: (address: string) => boolean;
  /** How long a client may take to read an answer. */
  readonly answerMs: number;
  /** What may wait for clients to read, over all connections. */
  readonly bufferedBytes: number;
}

/** Something waits for a client to read it. */
interface Unread {
  readonly sinceMs: number;
  /** All bytes that the connection was given by then. */
  readonly bytesWritten: number;
}

/** Bounds what the clients of a server can make it hold: connections, unread answers, requests behind each other. */
export class Connections {
  /** Null while nothing waits. */
  private readonly open = new Map<Socket, Unread | null>();
  private readonly upgraded = new WeakSet<Duplex>();
  /** To the newest request of a connection. */
  private readonly answers = new WeakMap<Socket, ServerResponse>();
  private readonly streamed = new WeakSet<ServerResponse>();
  private readonly cuts: RareWarning;

  constructor(
    server: Server,
    private readonly limits: ConnectionLimits,
    log: Logger,
  ) {
    this.cuts = new RareWarning(log, 'Slow readers were cut: too much waited for them.');
    const { connections: total, isProxy } = limits;
    // Node's own bound, maxConnections, would count the connections of one listener alone.
    const places = new ConnectionPlaces({ total, isProxy, isIdle: (socket) => this.isIdle(socket) }, log);
    server.on('connection', (socket: Socket) => {
      if (!places.take(socket)) {
        socket.destroy();
        return;
      }
      this.open.set(socket, null);
      socket.once('close', () => this.open.delete(socket));
    });
    // Accepting a connection can fail, as without free file descriptors; the next one may succeed.
    server.on('error', (error) => log.error({ err: error }, 'A connection could not be accepted.'));
    server.on('request', ({ socket }, answer) => this.answers.set(socket, answer));
    boundPipelines(server);
    const sweeping = setInterval(() => this.sweep(), SWEEP_EVERY_MS).unref();
    server.once('close', () => clearInterval(sweeping));
  }

  get count(): number {
    return this.open.size;
  }

  /** A WebSocket watches over its own reader; only what waits for it counts here. */
  exempt(socket: Duplex): void {
    this.upgraded.add(socket);
  }

  /** A file is made at the pace of its reader, who may take long for all of it, but not for a piece. */
  allowStream(answer: ServerResponse): void {
    this.streamed.add(answer);
  }

  private isIdle(socket: Socket): boolean {
    return !this.upgraded.has(socket) && (this.answers.get(socket)?.writableFinished ?? true);
  }

  private sweep(): void {
    const nowMs = performance.now();
    let bytes = 0;
    for (const [socket, unread] of this.open) {
      const waits = socket.writableLength;
      bytes += waits;
      if (waits === 0) this.open.set(socket, null);
      else if (unread === null || this.hasRead(socket, unread))
        this.open.set(socket, { sinceMs: nowMs, bytesWritten: socket.bytesWritten });
      else if (nowMs - unread.sinceMs >= this.limits.answerMs && !this.upgraded.has(socket)) socket.destroy();
    }
    if (bytes > this.limits.bufferedBytes) this.relieve(bytes);
  }

  /** Whether the client of a file has read a piece of it meanwhile: more is made only then. */
  private hasRead(socket: Socket, { bytesWritten }: Unread): boolean {
    const answer = this.answers.get(socket);
    return answer !== undefined && this.streamed.has(answer) && socket.bytesWritten > bytesWritten;
  }

  /** Ends those for whom most waits, until the rest is within the limit. */
  private relieve(bytes: number): void {
    const fullest = [...this.open.keys()].toSorted((a, b) => b.writableLength - a.writableLength);
    let left = bytes;
    let ended = 0;
    for (const socket of fullest) {
      if (left <= this.limits.bufferedBytes) break;
      left -= socket.writableLength;
      ended += 1;
      socket.destroy();
    }
    this.cuts.warn({ bytes, ended });
  }
}

/** Node answers requests of one connection in turn, but runs them all at once and keeps the answers. */
function boundPipelines(server: Server): void {
  const behind = new WeakMap<Socket, number>();
  server.on('request', ({ socket }, response) => {
    // A response has no socket while another one is ahead of it.
    if (response.socket !== null) return;
    const count = (behind.get(socket) ?? 0) + 1;
    behind.set(socket, count);
    response.once('close', () => behind.set(socket, (behind.get(socket) ?? 1) - 1));
    if (count > PIPELINED_MAX) socket.destroy();
  });
}
