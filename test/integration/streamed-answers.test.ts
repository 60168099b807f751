import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { createLog } from '../../src/platform/observability/log.js';
import { Connections } from '../../src/transport/connections.js';

const PIECE = Buffer.alloc(65_536, 'x');
/** More than all buffers of a connection hold. */
const PIECES = 640;
const ANSWER_MS = 3_000;
/** Between two eighths: far less than a piece may take, but all of them take longer. */
const PAUSE_MS = ANSWER_MS / 5;

let server: Server | null = null;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

interface Download {
  readonly answer: IncomingMessage;
  readonly connections: Connections;
}

async function begun(isStream: boolean): Promise<Download> {
  const made = createServer((_request, answer) => {
    if (isStream) connections.allowStream(answer);
    Readable.from(Array.from({ length: PIECES }, () => PIECE)).pipe(answer);
  });
  const limits = { connections: 10, isProxy: () => false, answerMs: ANSWER_MS, bufferedBytes: 1e9 };
  const connections = new Connections(made, limits, createLog({ level: 'silent' }));
  server = made;
  await once(made.listen(0, '127.0.0.1'), 'listening');
  const { port } = made.address() as AddressInfo;
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ host: '127.0.0.1', port }, resolve).once('error', reject);
  });
  return { answer, connections };
}

/** Reads an eighth after each pause. @returns whether all of it came */
async function isReadWhole({ answer }: Download): Promise<boolean> {
  let pieces = 0;
  let eighths = 0;
  try {
    for await (const piece of answer) {
      pieces += (piece as Buffer).length / PIECE.length;
      if (pieces < (eighths + 1) * (PIECES / 8)) continue;
      eighths += 1;
      await pause(PAUSE_MS);
    }
  } catch {
    return false;
  }
  return answer.complete && pieces === PIECES;
}

it('a client takes its time for a file, as long as it reads on', async () => {
  expect(await isReadWhole(await begun(true))).toBe(true);
});

it('a client that does not read on is cut', async () => {
  const { answer, connections } = await begun(true);
  answer.once('error', () => undefined).pause();
  expect(connections.count).toBe(1);
  await expect.poll(() => connections.count, { timeout: ANSWER_MS * 5 }).toBe(0);
});

it('the slow reader of an answer that is no file is cut', async () => {
  expect(await isReadWhole(await begun(false))).toBe(false);
});
