import type { EventSource, Evented } from './event-stream.js';
import type { TextStore } from './platform.js';
import { subjectOf } from './tokens.js';

/** How far a user's stream has come, in a store. What another user has left there is not taken. */
export function cursorsIn(
  given: TextStore | undefined,
  name: string | null,
  token: () => Promise<string | null>,
): EventSource<Evented>['cursors'] {
  const store = name === null ? undefined : given;
  const item = `redeemkit.cursor.${name}`;
  return {
    load: async () => {
      const text = await textIn(store, item);
      return text === null ? null : cursorIn(text, subjectOf(await token()));
    },
    save: async (cursor) => {
      if (store === undefined) return;
      try {
        await store.setItem(item, JSON.stringify([subjectOf(await token()), cursor]));
      } catch {
        // A store that is full or forbidden costs the way back after a reload, and not the stream.
      }
    },
  };
}

async function textIn(store: TextStore | undefined, item: string): Promise<string | null> {
  try {
    return (await store?.getItem(item)) ?? null;
  } catch {
    return null;
  }
}

function cursorIn(text: string, subject: string): string | null {
  try {
    const [owner, cursor] = JSON.parse(text) as unknown[];
    return owner === subject && typeof cursor === 'string' ? cursor : null;
  } catch {
    return null;
  }
}
