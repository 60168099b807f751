import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dataFolders, readIfExists, removeIfExists, writePrivateFile } from './files.js';
import {
  commandLineOf,
  isSameProcessAlive,
  signalProcess,
  type ProcessIdentity,
} from './process-identity.js';

export type ServerName = 'mariadb' | 'redis';

/** How long a server may take to write everything down before it is killed. */
export const STOP_TIMEOUT_MS = 20_000;
const POLL_MS = 20;

const recordFile = (dataDir: string, name: ServerName): string =>
  path.join(dataFolders(dataDir).run, `${name}.json`);
const portFile = (dataDir: string, name: ServerName): string =>
  path.join(dataFolders(dataDir).run, `${name}.port`);

export function writeServerRecord(dataDir: string, name: ServerName, identity: ProcessIdentity): void {
  writePrivateFile(recordFile(dataDir, name), JSON.stringify(identity));
}

export function removeServerRecord(dataDir: string, name: ServerName): void {
  removeIfExists(recordFile(dataDir, name));
}

/** The port is kept beyond a stop, so that a bookmarked connection works again after the next start. */
export function rememberPort(dataDir: string, name: ServerName, port: number): void {
  writePrivateFile(portFile(dataDir, name), String(port));
}

export function rememberedPort(dataDir: string, name: ServerName): number | undefined {
  const port = Number(readIfExists(portFile(dataDir, name)));
  return Number.isInteger(port) && port > 1023 && port < 65_536 ? port : undefined;
}

/** A SIGTERM reaches a paused process only when it resumes, hence the SIGCONT. */
export function askToStop(pid: number): void {
  if (signalProcess(pid, 'SIGTERM')) signalProcess(pid, 'SIGCONT');
}

/**
 * Stops the server that a killed parent left behind. It is stopped rather than taken over: a fresh start recovers in
 * well under a second and is surely run with the present settings.
 * Only the very process of the record is touched, and only if its command line holds the data folder.
 */
export async function stopOrphan(
  dataDir: string,
  name: ServerName,
  log: (line: string) => void,
): Promise<void> {
  const text = readIfExists(recordFile(dataDir, name));
  if (text === undefined) return;
  const orphan = JSON.parse(text) as ProcessIdentity;
  const isOurs = (): boolean =>
    isSameProcessAlive(orphan) && commandLineOf(orphan.pid).includes(dataDir + path.sep);
  if (isOurs()) {
    log(`A ${name} server (process ${orphan.pid}) was left behind by an earlier run; stopping it first.`);
    askToStop(orphan.pid);
    const end = performance.now() + STOP_TIMEOUT_MS;
    while (isSameProcessAlive(orphan) && performance.now() < end) await sleep(POLL_MS);
    if (isOurs()) signalProcess(orphan.pid, 'SIGKILL');
    while (isSameProcessAlive(orphan)) await sleep(POLL_MS);
  }
  removeServerRecord(dataDir, name);
}
