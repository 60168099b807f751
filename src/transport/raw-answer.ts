import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** How long a client may take to read the answer and hang up before its connection is cut. */
const LINGER_MS = 1000;

export interface TransportAnswer {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The one form of every error that is found before GraphQL sees the request. */
export function errorBody({ message, code }: Pick<TransportAnswer, 'message' | 'code'>): string {
  return JSON.stringify({ errors: [{ message, extensions: { code } }] });
}

/**
 * Answers on a connection that has no HTTP response: the request could not be read, or an upgrade is refused. Node has
 * removed its own listeners from such a socket, so a reset without the listener set here would end the process.
 */
export function answerRaw(socket: Duplex, answer: TransportAnswer): void {
  socket.on('error', () => socket.destroy());
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = errorBody(answer);
  const headers = {
    ...answer.headers,
    connection: 'close',
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}\r\n${lines.join('')}\r\n${body}`);
  // Closing with unread input would reset the connection, and could take the answer back from the client.
  socket.resume();
  socket.once('end', () => socket.destroy());
  const cut = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(cut));
}
