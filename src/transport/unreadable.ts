import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { answerRaw, errorBody, type TransportAnswer } from './raw-answer.js';

const ANSWERS: Readonly<Record<string, TransportAnswer>> = {
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: 'REQUEST_TIMEOUT',
    message: 'The request took too long to arrive. Send it again.',
  },
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: 'REQUEST_TOO_LARGE',
    message: 'The headers are too large.',
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: 413,
    code: 'REQUEST_TOO_LARGE',
    message: 'The request is too large.',
  },
};
const NOT_HTTP: TransportAnswer = { status: 400, code: 'BAD_REQUEST', message: 'This is no HTTP request.' };
const NO_TUNNEL: TransportAnswer = {
  status: 405,
  code: 'BAD_REQUEST',
  message: 'This server is not a proxy. Send the operation by POST to /graphql.',
};
const NO_SUCH_EXPECTATION = errorBody({
  code: 'BAD_REQUEST',
  message: 'Only the expectation 100-continue is met.',
});

/** Answers what node could not read as a request, or not in time, in the form of every other error. */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  // What still comes of the same request is unreadable, too, and has its answer.
  if (socket.destroyed || socket.writableEnded) return;
  if (isAnswering(socket)) socket.destroy();
  else answerRaw(socket, ANSWERS[error.code ?? ''] ?? NOT_HTTP);
}

/** Requests that node takes from the program's routes, and would answer by itself or by hanging up. */
export function answerUnroutable(server: Server): void {
  server.on('connect', (_request, socket) => answerRaw(socket, NO_TUNNEL));
  server.on('checkExpectation', (_request, response) => {
    response.writeHead(417, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': NO_SUCH_EXPECTATION.length,
      connection: 'close',
    });
    response.end(NO_SUCH_EXPECTATION);
  });
}

/** A second answer in the middle of a first one would be taken for a part of it. */
function isAnswering(socket: Socket): boolean {
  const { _httpMessage: response } = socket as Socket & { _httpMessage?: { headersSent: boolean } | null };
  return response?.headersSent === true;
}
