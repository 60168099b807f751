/** Floods a server until it has to stop: a separate process, so that it delays only the server. */
import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import { Client } from 'undici';
import { WebSocket } from 'ws';
import type { FloodJob, FloodResult } from './flood-job.js';

const ANSWER_WITHIN_MS = 30_000;

/** Renewed by each job; aborted when it is to stop. */
let ending = new AbortController();
let stopped: Promise<FloodResult> | null = null;

process.on('message', (message: FloodJob | { readonly kind: 'STOP' }) => {
  if (message.kind === 'STOP') {
    ending.abort();
    void stopped?.then((result) => process.send?.(result));
    return;
  }
  ending = new AbortController();
  stopped = message.kind === 'HTTP' ? overHttp(message) : overSocket(message);
  process.send?.({ started: true });
});
process.on('disconnect', () => process.exit(0));

/** Every connection sends the same request again as soon as it is answered. */
async function overHttp({
  url,
  connections,
  bodies,
  headers,
}: FloodJob & { kind: 'HTTP' }): Promise<FloodResult> {
  const statuses: Record<string, number> = {};
  const loop = async (no: number): Promise<void> => {
    const client = new Client(url, { headersTimeout: ANSWER_WITHIN_MS, bodyTimeout: ANSWER_WITHIN_MS });
    for (let at = no; !ending.signal.aborted; at += connections) {
      const body = bodies[at % bodies.length] as string;
      const word = await client
        .request({ path: '/graphql', method: 'POST', headers, body })
        .then(async (reply) => {
          await reply.body.dump({ limit: Number.MAX_SAFE_INTEGER });
          return String(reply.statusCode);
        })
        .catch((error: unknown) => (error as Error).name);
      statuses[word] = (statuses[word] ?? 0) + 1;
    }
    await client.destroy();
  };
  await Promise.all(Array.from({ length: connections }, async (_, no) => loop(no)));
  return { statuses };
}

/** One socket holds all subscriptions; those that have caught up are ended and started again. */
async function overSocket({
  url,
  token,
  query,
  operations,
  eventsEach,
}: FloodJob & { kind: 'SOCKET' }): Promise<FloodResult> {
  const statuses: Record<string, number> = {};
  const client = createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
  });
  const loop = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      try {
        let received = 0;
        for await (const { errors } of client.iterate({ query })) {
          const word = errors === undefined ? 'event' : 'error';
          statuses[word] = (statuses[word] ?? 0) + 1;
          received += 1;
          if (ending.signal.aborted || received >= eventsEach) break;
        }
      } catch {
        statuses['refused'] = (statuses['refused'] ?? 0) + 1;
        await pause(20);
      }
    }
  };
  const loops = Array.from({ length: operations }, loop);
  const watch = setInterval(() => {
    if (ending.signal.aborted) void client.dispose();
  }, 20);
  await Promise.all(loops);
  clearInterval(watch);
  return { statuses };
}
