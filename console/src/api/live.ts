import { createClient } from 'graphql-ws';
import type { Operation } from './operation';
import { session } from './session';

export type LiveState = 'CONNECTING' | 'LIVE' | 'OFFLINE';

/** 4403 says that the token has expired, or the session has ended: the next connection brings another token. */
const FORBIDDEN = 4403;
const PAUSE_MS_MAX = 5000;

let state: LiveState = 'CONNECTING';
const listeners = new Set<() => void>();

function become(next: LiveState): void {
  state = next;
  for (const listener of listeners) listener();
}

export const liveState = (): LiveState => state;
export function onLiveState(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

const client = createClient({
  url: () => `${location.origin.replace(/^http/, 'ws')}/graphql`,
  connectionParams: async () => {
    const token = await session.accessToken();
    return token === null ? {} : { authorization: `Bearer ${token}` };
  },
  retryAttempts: Infinity,
  retryWait: async (retries) =>
    new Promise((resolve) => {
      setTimeout(resolve, Math.min(250 * 2 ** retries, PAUSE_MS_MAX) * (0.5 + Math.random() / 2));
    }),
  shouldRetry: (event) => {
    const isOver = event instanceof CloseEvent && event.code === FORBIDDEN && session.state === 'SIGNED_OUT';
    return !isOver;
  },
  on: {
    connecting: () => become('CONNECTING'),
    connected: () => become('LIVE'),
    closed: (event) => {
      const isForbidden = event instanceof CloseEvent && event.code === FORBIDDEN;
      if (isForbidden) session.distrustToken();
      become(isForbidden ? 'CONNECTING' : 'OFFLINE');
    },
  },
});

/**
 * Events of a subscription as they come, from this moment on; those with a cursor each once also after an interruption.
 * @param given its variables without `after`
 * @returns how to end it
 */
export function subscribe<Event extends object, Variables extends object>(
  { name, text }: Operation<Readonly<Record<string, Event>>, Variables>,
  given: Omit<Variables, 'after'>,
  onEvent: (event: Event) => void,
): () => void {
  let cursor: unknown;
  const variables = {
    ...given,
    // The client sends this payload again after each reconnection: read anew, it continues behind the last event.
    get after() {
      return cursor;
    },
  };
  return client.subscribe<Readonly<Record<string, Event>>>(
    { query: text, operationName: name, variables },
    {
      next: ({ data }) => {
        const [event] = Object.values(data ?? {});
        if (event === undefined) return;
        if ('cursor' in event) ({ cursor } = event);
        onEvent(event);
      },
      error: () => become('OFFLINE'),
      complete: () => undefined,
    },
  );
}
