import { once } from 'node:events';
import { WebSocket } from 'ws';

export interface Frame {
  readonly id?: string;
  readonly type: string;
  readonly payload?: unknown;
}

/** A socket that sends exactly what a test gives it, also what no well-behaved client would. */
export class RawSocket {
  private readonly frames: Frame[] = [];
  private waiting: ((frame: Frame) => void) | undefined;
  /** Resolves when the server has closed the socket. */
  readonly closed: Promise<{ code: number; reason: string }>;

  private readonly socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('message', (data) => this.take(JSON.parse((data as Buffer).toString()) as Frame));
    this.closed = once(socket, 'close').then(([code, reason]) => ({
      code: code as number,
      reason: String(reason),
    }));
  }

  static async open(
    url: string,
    protocols: string[] = ['graphql-transport-ws'],
    headers: Record<string, string> = {},
  ): Promise<RawSocket> {
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/graphql`, protocols, { headers });
    const raw = new RawSocket(socket);
    await once(socket, 'open');
    return raw;
  }

  /** Opens and waits for the acknowledgement. */
  static async ready(url: string, payload?: Record<string, unknown>): Promise<RawSocket> {
    const raw = await RawSocket.open(url);
    raw.send({ type: 'connection_init', payload });
    const ack = await raw.next();
    if (ack.type !== 'connection_ack') throw new Error(`Not acknowledged: ${ack.type}`);
    return raw;
  }

  /** Bytes go as a binary frame. */
  send(message: object | string): void {
    const isWritten = typeof message === 'string' || Buffer.isBuffer(message);
    this.socket.send(isWritten ? message : JSON.stringify(message));
  }

  subscribe(id: string, query: string, variables?: Record<string, unknown>, operationName?: string): void {
    this.send({ id, type: 'subscribe', payload: { query, variables, operationName } });
  }

  /** The next frame; throws when the server closes the socket instead. */
  async next(): Promise<Frame> {
    const frame = this.frames.shift();
    if (frame !== undefined) return frame;
    const arrived = new Promise<Frame>((resolve) => {
      this.waiting = resolve;
    });
    const ended = this.closed.then(({ code, reason }) => {
      throw new Error(`The socket was closed: ${code} ${reason}`);
    });
    return Promise.race([arrived, ended]);
  }

  /** Stops reading, as a peer does that vanished without closing. */
  freeze(): void {
    this.socket.pause();
  }

  thaw(): void {
    this.socket.resume();
  }

  async close(): Promise<void> {
    this.socket.close(1000);
    await this.closed;
  }

  private take(frame: Frame): void {
    const { waiting } = this;
    this.waiting = undefined;
    if (waiting === undefined) this.frames.push(frame);
    else waiting(frame);
  }
}
