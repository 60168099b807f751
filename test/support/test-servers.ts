import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { lockOwnerOf } from '../../src/platform/local-servers/data-dir-lock.js';
import { startLocalServers } from '../../src/platform/local-servers/local-servers.js';
import { initialiseDatabase } from '../../src/platform/local-servers/mariadb-initialise.js';
import { readServerBinaries } from '../../src/platform/local-servers/server-binaries.js';
import { stopOrphan } from '../../src/platform/local-servers/server-record.js';
import { dataFoldersOf, newDataFolder } from './data-folder.js';
import { RedisClusterServers } from './redis-cluster-servers.js';
import { createEmptyDatabase } from './scratch-database.js';

export interface TestServers {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** A folder that {@link placeDatabase} copies; empty where both servers are those of the environment. */
  readonly databaseTemplate: string;
  stop(): Promise<void>;
}

const PREFIX = 'redeemkit-test-';

/** Tests make and drop some thousand tables; a file for each costs more than all that is in it. */
const ONE_FILE = ['--innodb-file-per-table=0'];

/** Each project of a run has its own instance of this module. */
const TEMPLATE = Symbol.for('redeemkit.database-template');

/** Only failures are worth a line between the results of tests. */
const quiet = (): void => undefined;

/**
 * One database and one Redis for a whole run, in a folder that goes with them; or those of the environment. With
 * `TEST_REDIS=cluster` the Redis is a private cluster.
 */
export async function startTestServers(env: NodeJS.ProcessEnv): Promise<TestServers> {
  const databaseUrl = env['TEST_DATABASE_URL'];
  const redisUrl = env['TEST_REDIS_URL'];
  if (databaseUrl !== undefined && redisUrl !== undefined) {
    return { databaseUrl, redisUrl, databaseTemplate: '', stop: () => Promise.resolve() };
  }
  if (redisUrl !== undefined) throw new Error('Set TEST_DATABASE_URL, too, or neither.');
  await removeLeftovers();
  const dataDir = newDataFolder(PREFIX);
  const given = databaseUrl === undefined ? null : await createEmptyDatabase(databaseUrl);
  const database = given === null;
  const databaseTemplate = await databaseTemplateOf(dataDir);
  if (database) placeDatabase(databaseTemplate, dataDir);
  const cluster = env['TEST_REDIS'] === 'cluster' ? await RedisClusterServers.start() : null;
  const services = await startLocalServers({
    dataDir,
    log: quiet,
    durable: false,
    scratchDatabases: true,
    extraArgs: ONE_FILE,
    database,
    redis: cluster === null,
  });
  return {
    databaseUrl: given?.databaseUrl ?? services.databaseUrl,
    databaseTemplate,
    redisUrl: cluster?.url ?? services.redisUrl,
    stop: async () => {
      await given?.drop();
      await Promise.all([services.stop(), cluster?.close()]);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

const known = globalThis as typeof globalThis & { [TEMPLATE]?: Promise<string> };

/** The data folder of a database that was never started: made in this folder, or by an earlier call of the process. */
export async function databaseTemplateOf(dataDir: string): Promise<string> {
  known[TEMPLATE] ??= makeTemplate(path.join(dataDir, 'template'));
  const earlier = await known[TEMPLATE];
  if (existsSync(earlier)) return earlier;
  known[TEMPLATE] = makeTemplate(path.join(dataDir, 'template'));
  return known[TEMPLATE];
}

async function makeTemplate(folder: string): Promise<string> {
  mkdirSync(folder);
  await initialiseDatabase(readServerBinaries().database, folder, quiet);
  return path.join(folder, 'mariadb');
}

/** Spares a private database in this folder its initialisation, which takes longer than its start. */
export function placeDatabase(template: string, dataDir: string): void {
  const datadir = path.join(dataDir, 'mariadb');
  if (template !== '' && !existsSync(datadir)) cpSync(template, datadir, { recursive: true });
}

/** A run that was killed leaves its servers and its folder behind; the next one tidies up. */
async function removeLeftovers(): Promise<void> {
  for (const dataDir of dataFoldersOf(PREFIX)) {
    // A folder without a lock belongs to a run that is just about to take it.
    if (!existsSync(path.join(dataDir, 'run', 'local-servers.lock'))) continue;
    if (lockOwnerOf(dataDir, 'local-servers') !== undefined) continue;
    await stopOrphan(dataDir, 'mariadb', quiet);
    await stopOrphan(dataDir, 'redis', quiet);
    rmSync(dataDir, { recursive: true, force: true });
  }
}
