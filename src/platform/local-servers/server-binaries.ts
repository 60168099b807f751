import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { LocalServersError } from './local-servers.errors.js';
import { readIfExists } from './files.js';

export interface DatabaseBinary {
  readonly flavor: 'mariadb' | 'mysql';
  readonly server: string;
  /** MariaDB's installation script; MySQL initialises itself. */
  readonly installDb?: string;
  readonly basedir: string;
  readonly version: string;
  /** Empty for programs of the system. */
  readonly ldLibraryPath: string;
}

export interface RedisBinary {
  readonly server: string;
  readonly version: string;
  readonly ldLibraryPath: string;
}

export interface ServerBinaries {
  readonly database: DatabaseBinary;
  readonly redis: RedisBinary;
}

/** Sources and build output lie equally deep below the project, so this holds for both. */
const projectRoot = fileURLToPath(new URL('../../../', import.meta.url));

/** What scripts/bootstrap.mjs found or fetched. */
export function readServerBinaries(
  serversDir: string = path.join(projectRoot, '.data', 'servers'),
): ServerBinaries {
  const record = readIfExists(path.join(serversDir, 'servers.json'));
  if (record === undefined) {
    throw new LocalServersError(
      `No private database and Redis are set up in ${serversDir}. ` +
        'Run `node scripts/bootstrap.mjs --servers=always`, or set DATABASE_URL and REDIS_URL.',
    );
  }
  return JSON.parse(record) as ServerBinaries;
}

/** Our own environment stays outside, because it may hold secrets that a server has no use for. */
export function serverEnvironment(binary: { readonly ldLibraryPath: string }): NodeJS.ProcessEnv {
  const base = { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC' };
  return binary.ldLibraryPath === '' ? base : { ...base, LD_LIBRARY_PATH: binary.ldLibraryPath };
}
