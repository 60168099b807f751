import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startPrivateMariadb } from '../../../src/platform/local-servers/private-mariadb.js';
import { migrateUp } from '../../../src/migrations/migrate.js';
import { RedisClusterServers } from '../../support/redis-cluster-servers.js';
import { openWorld, type World } from '../../support/world.js';
import { NamedProcess } from '../stage-process.js';
import { IMPATIENT_PROCESS } from '../stage.js';

const PREFIX = 'redeemkit-cluster-faults-';
const NAMES = ['api1', 'api2', 'worker', 'worker2'] as const;

/** A Redis Cluster, a database, two API processes and two workers, opened once for all cells. */
export interface ClusterStage {
  readonly servers: RedisClusterServers;
  readonly processes: readonly NamedProcess[];
  readonly urls: readonly string[];
  readonly databaseUrl: string;
  readonly world: World;
  close(): Promise<void>;
}

export async function openClusterStage(program: { readonly entry: string }): Promise<ClusterStage> {
  const dataDir = mkdtempSync(path.join(tmpdir(), PREFIX));
  const closers = [async () => rmSync(dataDir, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const each of closers.splice(0).toReversed()) await each().catch(() => undefined);
  };
  try {
    const servers = await RedisClusterServers.start({ mayCutOff: true });
    closers.push(async () => servers.close());
    const database = await startPrivateMariadb({
      dataDir,
      log: () => undefined,
      supervise: false,
      durable: true,
      extraArgs: ['--innodb-buffer-pool-size=64M'],
    });
    closers.push(async () => database.stop());
    await migrateUp(database.url);
    const processes = NAMES.map(
      (name) =>
        new NamedProcess(name, {
          ...program,
          role: name.startsWith('api') ? 'api' : 'worker',
          databaseUrl: database.url,
          redisUrl: servers.url,
          environment: IMPATIENT_PROCESS,
        }),
    );
    for (const each of processes) closers.push(async () => each.retire());
    await Promise.all(processes.map(async (each) => each.start()));
    const world = await openWorld({}, { databaseUrl: database.url, redisUrl: servers.url });
    closers.push(async () => world.close());
    const urls = processes.slice(0, 2).map(({ port }) => `http://127.0.0.1:${port}`);
    return { servers, processes, urls, databaseUrl: database.url, world, close };
  } catch (error) {
    await close();
    throw error;
  }
}
