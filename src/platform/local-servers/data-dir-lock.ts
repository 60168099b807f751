import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { present } from '../assert.js';
import { systemClock } from '../clock.js';
import { LocalServersBusyError } from './local-servers.errors.js';
import {
  dataFolders,
  isErrno,
  linkIfAbsent,
  makeDataFolders,
  readIfExists,
  removeIfExists,
  writePrivateFile,
} from './files.js';
import { identifyProcess, isSameProcessAlive, type ProcessIdentity } from './process-identity.js';

const RETRY_MS = 20;
const TAKEOVER_MAX_MS = 10_000;

interface LockOwner extends ProcessIdentity {
  readonly token: string;
}

/**
 * Makes this process the only one that runs `name` on the data folder, and answers how to give that up.
 * The lock names its owner, so the lock of a process that was killed does not block.
 *
 * @throws LocalServersBusyError when a live process, this one included, holds it.
 */
export async function lockDataDir(dataDir: string, name: string): Promise<() => void> {
  makeDataFolders(dataDir);
  const file = path.join(dataFolders(dataDir).run, `${name}.lock`);
  const me = present(identifyProcess(process.pid), 'The identity of this process');
  const content = JSON.stringify({ ...me, token: randomBytes(8).toString('hex') } satisfies LockOwner);
  const draft = `${file}.${process.pid}-${randomBytes(4).toString('hex')}`;
  writePrivateFile(draft, content);
  try {
    while (!linkIfAbsent(draft, file)) {
      const found = readIfExists(file);
      if (found === undefined) continue;
      const owner = JSON.parse(found) as LockOwner;
      if (isSameProcessAlive(owner)) throw new LocalServersBusyError(dataDir, owner.pid);
      removeStale(file, found, owner.token);
      await sleep(RETRY_MS);
    }
  } finally {
    removeIfExists(draft);
  }
  return () => {
    removeIfExists(file);
  };
}

/** The live process that holds the lock, if any. */
export function lockOwnerOf(dataDir: string, name: string): ProcessIdentity | undefined {
  const found = readIfExists(path.join(dataFolders(dataDir).run, `${name}.lock`));
  const owner = found === undefined ? undefined : (JSON.parse(found) as LockOwner);
  return owner !== undefined && isSameProcessAlive(owner) ? owner : undefined;
}

/**
 * Two processes may find the same dead owner. A second link, named after that owner, lets one of them through; its
 * content is compared again, because the lock may have changed hands between the reading and the linking.
 */
function removeStale(file: string, found: string, token: string): void {
  const claim = `${file}.stale-${token}`;
  try {
    if (!linkIfAbsent(file, claim)) {
      if (systemClock.nowMs() - statSync(claim).ctimeMs > TAKEOVER_MAX_MS) removeIfExists(claim);
      return;
    }
    if (readIfExists(claim) === found) removeIfExists(file);
    removeIfExists(claim);
  } catch (error) {
    // The other process finished its takeover in between; the caller simply looks again.
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}
