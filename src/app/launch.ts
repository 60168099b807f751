import path from 'node:path';
import { assertAnchorFile } from '../audit/anchor-file.js';
import { awaitStores } from './await-stores.js';
import type { Config } from '../config.js';
import { runDemo, type Demo } from './demo.js';
import { assertCanListen } from './listen-address.js';
import { startLocalServers } from '../platform/local-servers/local-servers.js';
import type { Logger } from '../platform/observability/log.js';
import { settleSecrets } from './secrets.js';
import type { RunningServer } from './server.js';

export interface Launched {
  readonly server: RunningServer;
  /** Null where the stores were given: then no demo data is made. */
  readonly demo: Demo | null;
  stop(): Promise<void>;
}

export interface LaunchOptions {
  readonly say: (line: string) => void;
  /** Gives the start up. */
  readonly signal: AbortSignal;
}

/** What is to be stopped, in the order of its start. */
type Started = (() => Promise<void>)[];

/** Nearly all of the program, which takes a second to load: a start that fails by its settings or stores says so before. */
const load = {
  migrate: async () => import('../migrations/migrate.js'),
  schemaState: async () => import('../migrations/schema-state.js'),
  server: async () => import('./server.js'),
};

/**
 * Starts a whole Redeemkit: on the stores of the configuration, or, when there are none, on private servers with
 * their data in the data folder and a demo tenant. A start that fails or is given up stops what it has started.
 */
export async function launch(config: Config, log: Logger, options: LaunchOptions): Promise<Launched> {
  // First of all: a start that cannot be heard in the end must not touch any data.
  await assertCanListen(config.HOST, config.PORT);
  const { AUDIT_ANCHOR_FILE: anchors, ROLE: role } = config;
  if (anchors !== undefined && role !== 'api') await assertAnchorFile(anchors);
  const started: Started = [];
  const stop = async (): Promise<void> => {
    for (const stopOne of started.splice(0).reverse()) await stopOne();
  };
  try {
    const isGiven = config.DATABASE_URL !== undefined;
    const launched = await (isGiven ? launchOnGivenStores : launchOnOwnStores)(config, log, options, started);
    options.signal.throwIfAborted();
    return { ...launched, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function launchOnGivenStores(config: Config, log: Logger, { signal }: LaunchOptions, started: Started) {
  const { DATABASE_URL: databaseUrl = '', REDIS_URL: redisUrl = '' } = config;
  const secrets = await settleSecrets(config);
  await awaitStores({ databaseUrl, redisUrl }, { waitMs: config.START_WAIT_MS, signal });
  const { assertSchemaIsCurrent } = await load.schemaState();
  await assertSchemaIsCurrent(databaseUrl);
  const { startServer } = await load.server();
  const server = await startServer({ config, databaseUrl, redisUrl, ...secrets }, log);
  started.push(async () => server.stop());
  return { server, demo: null };
}

async function launchOnOwnStores(
  config: Config,
  log: Logger,
  { say, signal }: LaunchOptions,
  started: Started,
) {
  const secrets = await settleSecrets(config);
  const dataDir = path.resolve(config.DATA_DIR);
  const stores = await startLocalServers({ dataDir, log: say, signal });
  started.push(async () => stores.stop());
  const { databaseUrl, redisUrl } = stores;
  signal.throwIfAborted();
  const { migrateUp } = await load.migrate();
  const applied = await migrateUp(databaseUrl);
  if (applied.length > 0) say(migratedMessage(applied.length));
  signal.throwIfAborted();
  let demo: Demo | null = null;
  const tryOut = () => demo?.content() ?? null;
  const { startServer } = await load.server();
  const server = await startServer({ config, databaseUrl, redisUrl, ...secrets, tryOut }, log);
  started.push(async () => server.stop());
  signal.throwIfAborted();
  const file = path.join(dataDir, 'demo.json');
  const running = await runDemo(server.services, file, { url: server.address, databaseUrl, redisUrl }, log);
  demo = running;
  started.push(async () => running.stop());
  return { server, demo: running };
}

function migratedMessage(count: number): string {
  return `Database schema is up to date (${count} ${count === 1 ? 'migration' : 'migrations'} applied).`;
}
