import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from './config.js';

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
  const kept = await keptSecrets(path.join(config.DATA_DIR, 'secrets', 'application.json'));
  return { jwtSecret: jwtSecret ?? kept.jwtSecret, codePepper: codePepper ?? kept.codePepper };
}

async function keptSecrets(file: string): Promise<Secrets> {
  const made = { jwtSecret: randomSecret(), codePepper: randomSecret() };
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  try {
    // Of two processes that start at once, one makes the file and the other reads it.
    await writeFile(file, `${JSON.stringify(made)}\n`, { flag: 'wx', mode: 0o600 });
    return made;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return JSON.parse(await readFile(file, 'utf8')) as Secrets;
}

function randomSecret(): string {
  return randomBytes(32).toString('base64url');
}
