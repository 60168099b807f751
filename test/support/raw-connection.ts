import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A TCP connection that sends any bytes at all, and can be reset in the middle of them. */
export class RawConnection {
  private text = '';
  /** Resolves when the connection is gone, however it went. */
  readonly closed: Promise<unknown>;

  readonly socket: Socket;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => (this.text += chunk.toString('latin1')));
    this.closed = new Promise((resolve) => {
      socket.once('close', resolve);
    });
  }

  /** @param from an address of this machine, as 127.0.0.2 */
  static async open(url: string, from?: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    const local = from === undefined ? {} : { localAddress: from };
    const socket = connect({ host: hostname, port: Number(port), noDelay: true, ...local });
    const connection = new RawConnection(socket);
    await Promise.race([once(socket, 'connect'), connection.closed]);
    return connection;
  }

  /** Opens a socket of the protocol, by hand. */
  static async upgraded(url: string): Promise<RawConnection> {
    const connection = await RawConnection.open(url);
    connection.send(upgradeRequest());
    await connection.answers(/ 101 [^]*\r\n\r\n/);
    return connection;
  }

  /** Everything that has come, as latin1. */
  get received(): string {
    return this.text;
  }

  send(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  /** Sends a text message in one masked frame. */
  say(message: object | string): void {
    this.send(frame(typeof message === 'string' ? message : JSON.stringify(message)));
  }

  /** Waits for an answer; throws when the connection ends without it. */
  async answers(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.text);
      if (found !== null) return found;
      if (this.socket.closed) throw new Error(`Closed after: ${this.text}`);
      await Promise.race([once(this.socket, 'data').catch(() => undefined), this.closed]);
    }
  }

  /** Closes by RST, as a host does whose program is gone. */
  reset(): void {
    this.socket.resetAndDestroy();
  }
}

/** An upgrade as a browser sends it; `head` replaces or adds header lines. */
export function upgradeRequest(
  path = '/graphql',
  head: Readonly<Record<string, string | null>> = {},
): string {
  const headers = {
    host: '127.0.0.1',
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': randomBytes(16).toString('base64'),
    'sec-websocket-protocol': 'graphql-transport-ws',
    ...head,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === null ? [] : [`${name}: ${value}\r\n`],
  );
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

const FINAL = 0x80;
const MASKED = 0x80;

/** One frame from a client: opcode 1 is text, 9 a ping. The mask is zero, which leaves the payload unchanged. */
export function frame(payload: string, opcode = 1): Buffer {
  const bytes = Buffer.from(payload);
  const [sizeBytes, size] =
    bytes.length < 126 ? [0, bytes.length] : bytes.length < 65_536 ? [2, 126] : [8, 127];
  const head = Buffer.alloc(2 + sizeBytes + 4);
  head[0] = FINAL + opcode;
  head[1] = MASKED + size;
  if (sizeBytes === 2) head.writeUInt16BE(bytes.length, 2);
  if (sizeBytes === 8) head.writeBigUInt64BE(BigInt(bytes.length), 2);
  return Buffer.concat([head, bytes]);
}
