import { randomBytes } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { StartError } from '../errors.js';

/** The folders of the private servers inside the data folder. */
export function dataFolders(dataDir: string) {
  return {
    run: path.join(dataDir, 'run'),
    logs: path.join(dataDir, 'logs'),
    secrets: path.join(dataDir, 'secrets'),
  };
}

/** Not `recursive`: where a file system answers ENOENT, as /proc does, Node would try for ever. */
export function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(path.dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  }
}

/** @throws StartError where they cannot be made, or not be written to */
export function makeDataFolders(dataDir: string): void {
  try {
    for (const folder of Object.values(dataFolders(dataDir))) {
      makeFolder(folder);
      accessSync(folder, constants.W_OK);
    }
    accessSync(dataDir, constants.W_OK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new StartError(
      `The data folder ${dataDir} cannot be written (${code}): make it writable, or set DATA_DIR to another folder.`,
      { cause: error },
    );
  }
}

export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

export function readIfExists(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** A reader sees the old content or the new, never a part; only the owner may read it. */
export function writePrivateFile(file: string, content: string): void {
  const draft = `${file}.${randomBytes(4).toString('hex')}`;
  writeFileSync(draft, content, { mode: 0o600 });
  renameSync(draft, file);
}

/** Gives `to` the content of `from` unless it exists: the one step in which a lock can be taken with its owner's name. */
export function linkIfAbsent(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

export function removeIfExists(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

/** A password made at first use and kept; hexadecimal, so that it needs no escaping in a URL, in SQL or in a file. */
export function secretOf(dataDir: string, name: string): string {
  const file = path.join(dataFolders(dataDir).secrets, name);
  const kept = readIfExists(file)?.trim();
  if (kept !== undefined && kept !== '') return kept;
  const secret = randomBytes(24).toString('hex');
  writePrivateFile(file, `${secret}\n`);
  return secret;
}
