import path from 'node:path';
import type { Config } from './config.js';
import { runDemo, type Demo } from './demo.js';
import { migrateUp } from './migrations/migrate.js';
import {
  startEmbeddedServices,
  type EmbeddedServices,
} from './platform/embedded-services/embedded-services.js';
import type { Logger } from './platform/log.js';
import { settleSecrets } from './secrets.js';
import { startServer, type RunningServer } from './server.js';

export interface Launched {
  readonly server: RunningServer;
  /** Null where the stores were given: then no demo data is made. */
  readonly demo: Demo | null;
  stop(): Promise<void>;
}

/**
 * Starts a whole Redeemkit: on the stores of the configuration, or, when there are none, on private servers with
 * their data in the data folder and a demo tenant.
 */
export async function launch(config: Config, log: Logger, say: (line: string) => void): Promise<Launched> {
  const { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl } = config;
  const secrets = await settleSecrets(config);
  if (databaseUrl !== undefined && redisUrl !== undefined) {
    const server = await startServer({ config, databaseUrl, redisUrl, ...secrets }, log);
    return { server, demo: null, stop: async () => server.stop() };
  }
  const dataDir = path.resolve(config.DATA_DIR);
  const stores = await startEmbeddedServices({ dataDir, log: say });
  try {
    return await launchOn(stores, { config, ...secrets }, log, say);
  } catch (error) {
    await stores.stop();
    throw error;
  }
}

async function launchOn(
  stores: EmbeddedServices,
  settings: { readonly config: Config; readonly jwtSecret: string; readonly codePepper: string },
  log: Logger,
  say: (line: string) => void,
): Promise<Launched> {
  const { databaseUrl, redisUrl } = stores;
  const applied = await migrateUp(databaseUrl);
  if (applied.length > 0) say(migratedMessage(applied.length));
  const server = await startServer({ ...settings, databaseUrl, redisUrl }, log);
  const file = path.resolve(settings.config.DATA_DIR, 'demo.json');
  const demo = await runDemo(server.services, { file, url: server.address, databaseUrl, redisUrl }, log);
  const stop = async (): Promise<void> => {
    demo.stop();
    await server.stop();
    await stores.stop();
  };
  return { server, demo, stop };
}

function migratedMessage(count: number): string {
  return `Database schema is up to date (${count} ${count === 1 ? 'migration' : 'migrations'} applied).`;
}
