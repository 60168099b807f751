import { open } from 'node:fs/promises';
import { StartError } from '../platform/errors.js';
import type { PublishedEvent } from '../platform/outbox/published-event.js';

/** Where ends of chains stand outside of the database: a file of lines of JSON, which is only ever appended to. */
const APPEND = ['a', 0o600] as const;

/** Appends anchors. Perhaps twice after a crash, which is no fault. */
export async function appendAnchors(
  file: string,
  tenantId: string,
  events: readonly PublishedEvent[],
): Promise<void> {
  const lines = events.map(({ payload, createdAt }) =>
    JSON.stringify({ tenantId, ...payload, at: createdAt.toISOString() }),
  );
  const handle = await open(file, ...APPEND);
  try {
    // A line that a crash has cut short ends here.
    await handle.appendFile(`\n${lines.join('\n')}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** @throws StartError where the worker could not append to the file */
export async function assertAnchorFile(file: string): Promise<void> {
  try {
    const handle = await open(file, ...APPEND);
    await handle.close();
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new StartError(
      `The file ${file} cannot be appended to (${code}): correct AUDIT_ANCHOR_FILE, or make the file and its folder writable.`,
      { cause: error },
    );
  }
}
