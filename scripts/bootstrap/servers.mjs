import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { canUnpack, libraryPath, unpackServers } from './debian.mjs';
import { isAtLeast } from './node.mjs';
import { findExecutable, isExecutable, programFolders, run, versionText } from './run.mjs';
import { BootstrapError, say } from './say.mjs';

const MINIMUM = { mariadb: [10, 11], mysql: [8, 4], redis: [7, 0] };

const serversFolder = (root) => path.join(root, '.data', 'servers');
const recordFile = (root) => path.join(serversFolder(root), 'servers.json');

/** The record of an earlier run, if it was made for this folder and its programs are still there. */
export function readServers(root) {
  if (!existsSync(recordFile(root))) return undefined;
  const record = JSON.parse(readFileSync(recordFile(root), 'utf8'));
  const files = [record.database.server, record.database.installDb, record.redis.server].filter(Boolean);
  // A copied project must not go on with the programs of the original, which may vanish.
  return record.folder === serversFolder(root) && files.every(isExecutable) ? record : undefined;
}

export async function ensureServers(root, env) {
  if (readServers(root) !== undefined) return;
  const unpacked = path.join(serversFolder(root), 'root');
  const own = [path.join(unpacked, 'usr', 'sbin'), path.join(unpacked, 'usr', 'bin')];
  let found = findServers([...programFolders(env), ...own], unpacked);
  if (!isComplete(found)) {
    await obtain(root, env, found);
    found = findServers([...programFolders(env), ...own], unpacked);
  }
  if (!isComplete(found)) throw new BootstrapError(missingServersMessage(process.platform, found));
  const draft = `${recordFile(root)}.${process.pid}`;
  mkdirSync(serversFolder(root), { recursive: true });
  writeFileSync(draft, JSON.stringify({ folder: serversFolder(root), ...found }, undefined, 2));
  renameSync(draft, recordFile(root));
  say(`Database server: ${found.database.flavor} ${found.database.version} (${found.database.server})`);
  say(`Redis server: ${found.redis.version} (${found.redis.server})`);
}

const isComplete = (found) => Boolean(found.database && found.redis);

async function obtain(root, env, found) {
  const folders = programFolders(env);
  const brew = findExecutable('brew', folders);
  if (process.platform === 'linux' && canUnpack(folders)) {
    // The unpacked tree is replaced as a whole, so it must hold everything the system itself does not have.
    const onSystem = findServers(folders);
    await unpackServers(serversFolder(root), { database: !onSystem.database, redis: !onSystem.redis });
  } else if (process.platform === 'darwin' && brew) {
    const names = [...(found.database ? [] : ['mariadb']), ...(found.redis ? [] : ['redis'])];
    say(`Installing with Homebrew: brew install ${names.join(' ')}`);
    const result = await run(brew, ['install', ...names], { inherit: true });
    if (result.code !== 0)
      throw new BootstrapError(`brew install ${names.join(' ')} failed; its messages are above.`);
  }
}

/** {database?, redis?}: the first of each in the folders that runs here and is new enough. Programs in `unpacked` get its libraries. */
function findServers(folders, unpacked) {
  const found = {};
  const database = firstUsable(['mariadbd', 'mysqld'], folders, unpacked, describeDatabase);
  const redis = firstUsable(['redis-server', 'valkey-server'], folders, unpacked, describeRedis);
  if (database) found.database = database;
  if (redis) found.redis = redis;
  return found;
}

function firstUsable(names, folders, unpacked, describe) {
  for (const folder of folders) {
    for (const name of names) {
      const file = path.join(folder, name);
      if (!isExecutable(file)) continue;
      const ldLibraryPath = unpacked && file.startsWith(unpacked + path.sep) ? libraryPath(unpacked) : '';
      const text = versionText(file, ldLibraryPath);
      const described = text === undefined ? undefined : describe(file, text, ldLibraryPath);
      if (described) return described;
      say(
        `${file} is not used: ${text === undefined ? 'it does not run' : `it is too old or incomplete (${text})`}.`,
      );
    }
  }
  return undefined;
}

function describeDatabase(server, text, ldLibraryPath) {
  const version = text.match(/Ver (\d+\.\d+\.\d+)/)?.[1];
  const flavor = text.includes('MariaDB') ? 'mariadb' : 'mysql';
  if (version === undefined || !isAtLeast(version, MINIMUM[flavor])) return undefined;
  const basedir = path.dirname(path.dirname(realpathSync(server)));
  const common = { flavor, server, basedir, version, ldLibraryPath };
  if (flavor === 'mysql') return common;
  const folders = [path.dirname(server), path.join(basedir, 'bin'), path.join(basedir, 'scripts')];
  const installDb =
    findExecutable('mariadb-install-db', folders) ?? findExecutable('mysql_install_db', folders);
  // Without my_print_defaults the installation script stops half-way.
  return installDb && findExecutable('my_print_defaults', folders) ? { ...common, installDb } : undefined;
}

function describeRedis(server, text, ldLibraryPath) {
  const version = text.match(/v=(\d+\.\d+\.\d+)/)?.[1];
  if (version === undefined || !isAtLeast(version, MINIMUM.redis)) return undefined;
  return { server, version, ldLibraryPath };
}

/** What to install by hand where this script cannot fetch it. */
export function missingServersMessage(platform, found) {
  const missing = [
    ...(found.database ? [] : ['MariaDB 10.11 or newer (or MySQL 8.4 or newer)']),
    ...(found.redis ? [] : ['Redis 7 or newer (or Valkey)']),
  ].join(' and ');
  const how = {
    darwin: 'Install Homebrew (https://brew.sh) and run: brew install mariadb redis',
    linux:
      'Install them with the package manager of this system, for example one of\n  sudo dnf install mariadb-server redis\n  sudo pacman -S mariadb valkey\n  sudo apk add mariadb mariadb-server-utils redis',
    win32:
      'Run Redeemkit inside the Windows Subsystem for Linux (Debian or Ubuntu), where it fetches them by itself.',
  }[platform];
  return [
    `Not found on this system: ${missing}.`,
    ...(how ? [how] : []),
    'Or set DATABASE_URL and REDIS_URL to servers of yours, or use compose.yaml: docker compose up.',
  ].join('\n');
}
