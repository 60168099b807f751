import { afterAll, beforeAll } from 'vitest';

type Closable = { close(): Promise<unknown> } | { stop(): Promise<unknown> } | { drop(): Promise<unknown> };
/** Awaits a resource, and has it closed after the tests. */
export type Closing = <T extends Closable>(opening: Promise<T>) => Promise<T>;

/**
 * Opens the shared resources of a test file before its tests, and closes them afterwards in reverse order. Where the
 * set-up fails half-way, only the resources opened by then are closed, so no second error hides the cause.
 */
export function openBeforeAll(open: (closing: Closing) => Promise<void>): void {
  const opened = new AsyncDisposableStack();
  beforeAll(async () => open(async (opening) => opened.adopt(await opening, close)));
  afterAll(async () => opened.disposeAsync());
}

async function close(it: Closable): Promise<void> {
  if ('close' in it) await it.close();
  else if ('drop' in it) await it.drop();
  else await it.stop();
}
