import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../config.js';
import {
  dataFolders,
  linkIfAbsent,
  makeDataFolders,
  readIfExists,
  removeIfExists,
  writePrivateFile,
} from '../platform/local-servers/files.js';

export interface Secrets {
  readonly jwtSecret: string;
  readonly codePepper: string;
}

/**
 * The secrets of the configuration. Where they are not set, which production does not allow, they are made at
 * random once and kept in the data folder, so that tokens and codes outlive a restart.
 */
export async function settleSecrets(config: Config): Promise<Secrets> {
  const { JWT_SECRET: jwtSecret, CODE_PEPPER: codePepper } = config;
  if (jwtSecret !== undefined && codePepper !== undefined) return { jwtSecret, codePepper };
  const kept = await keptSecrets(path.resolve(config.DATA_DIR));
  return { jwtSecret: jwtSecret ?? kept.jwtSecret, codePepper: codePepper ?? kept.codePepper };
}

async function keptSecrets(dataDir: string): Promise<Secrets> {
  const file = path.join(dataFolders(dataDir).secrets, 'application.json');
  const made = { jwtSecret: randomSecret(), codePepper: randomSecret() };
  makeDataFolders(dataDir);
  if (readIfExists(file) === undefined) {
    const draft = `${file}.${randomBytes(4).toString('hex')}`;
    writePrivateFile(draft, `${JSON.stringify(made)}\n`);
    // Of two processes that start at once, one makes the file whole and the other reads it.
    linkIfAbsent(draft, file);
    removeIfExists(draft);
  }
  return JSON.parse(await readFile(file, 'utf8')) as Secrets;
}

function randomSecret(): string {
  return randomBytes(32).toString('base64url');
}
