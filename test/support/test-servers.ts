import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { lockOwnerOf } from '../../src/platform/local-servers/data-dir-lock.js';
import { startEmbeddedServices } from '../../src/platform/local-servers/local-servers.js';
import { stopOrphan } from '../../src/platform/local-servers/server-record.js';
import { createEmptyDatabase } from './scratch-database.js';

export interface TestServers {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  stop(): Promise<void>;
}

const PREFIX = 'redeemkit-test-';

/** Only failures are worth a line between the results of tests. */
const quiet = (): void => undefined;

/** One database and one Redis for a whole run, in a folder that goes with them; or those of the environment. */
export async function startTestServers(env: NodeJS.ProcessEnv): Promise<TestServers> {
  const databaseUrl = env['TEST_DATABASE_URL'];
  const redisUrl = env['TEST_REDIS_URL'];
  if (databaseUrl !== undefined && redisUrl !== undefined) {
    return { databaseUrl, redisUrl, stop: () => Promise.resolve() };
  }
  if (redisUrl !== undefined) throw new Error('Set TEST_DATABASE_URL, too, or neither.');
  await removeLeftovers();
  const dataDir = mkdtempSync(path.join(tmpdir(), PREFIX));
  const given = databaseUrl === undefined ? null : await createEmptyDatabase(databaseUrl);
  const database = given === null;
  const services = await startEmbeddedServices({
    dataDir,
    log: quiet,
    durable: false,
    scratchDatabases: true,
    database,
  });
  return {
    databaseUrl: given?.databaseUrl ?? services.databaseUrl,
    redisUrl: services.redisUrl,
    stop: async () => {
      await given?.drop();
      await services.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** A run that was killed leaves its servers and its folder behind; the next one tidies up. */
async function removeLeftovers(): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(PREFIX))) {
    const dataDir = path.join(tmpdir(), name);
    // A folder without a lock belongs to a run that is just about to take it.
    if (!existsSync(path.join(dataDir, 'run', 'local-servers.lock'))) continue;
    if (lockOwnerOf(dataDir, 'local-servers') !== undefined) continue;
    await stopOrphan(dataDir, 'mariadb', quiet);
    await stopOrphan(dataDir, 'redis', quiet);
    rmSync(dataDir, { recursive: true, force: true });
  }
}
