import { setTimeout as pause } from 'node:timers/promises';
import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { SeenEvent } from '../checks/evidence.js';

const SETTLED = `subscription ($after: String) {
  redemptionSettled(after: $after) { eventId cursor redemptionId status }
}`;
const RECONNECT_MS = 50;

/** Subscribes to a tenant's redemptions, and resumes after the last event whenever the connection is lost. */
export interface Subscriber {
  readonly seen: readonly SeenEvent[];
  /** The ends of its connections, and the errors it got instead of events. */
  readonly diary: readonly string[];
  close(): Promise<void>;
}

/** Watches at one process after the other. */
export function startSubscriber(urls: readonly string[], token: string): Subscriber {
  const seen: SeenEvent[] = [];
  const diary: string[] = [];
  const beganMs = performance.now();
  const note = (what: string): void =>
    void diary.push(`${Math.round(performance.now() - beganMs)} ms: ${what}`);
  const ended = new AbortController();
  const clients = new Set<Client>();
  const watch = async (url: string): Promise<void> => {
    const client = connect(url, token, note);
    clients.add(client);
    try {
      const after = seen.at(-1)?.cursor ?? '0';
      const events = client.iterate<{ redemptionSettled: SeenEvent }>({
        query: SETTLED,
        variables: { after },
      });
      for await (const { data, errors } of events) {
        if (errors !== undefined) note(JSON.stringify(errors));
        if (data !== null && data !== undefined) seen.push(data.redemptionSettled);
      }
    } finally {
      clients.delete(client);
      await client.dispose();
    }
  };
  const watching = (async () => {
    for (let at = 0; !ended.signal.aborted; at += 1) {
      await watch(urls[at % urls.length] ?? '').catch((error: unknown) => note(String(error)));
      await pause(RECONNECT_MS);
    }
  })();
  const close = async (): Promise<void> => {
    ended.abort();
    for (const client of clients) await client.dispose();
    await watching;
  };
  return { seen, diary, close };
}

function connect(url: string, token: string, note: (what: string) => void): Client {
  return createClient({
    url: `${url.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionParams: { authorization: `Bearer ${token}` },
    on: {
      connecting: () => note(`connecting to ${url}`),
      opened: () => note('opened'),
      connected: () => note('acknowledged'),
      closed: (event) => note(`closed: ${(event as { code?: number }).code}`),
    },
  });
}
