import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { App, Services } from '../../src/app/modules.js';
import { openApp } from '../../src/app/open.js';
import { loadConfig } from '../../src/config.js';
import { migrateUp } from '../../src/migrations/migrate.js';
import { startLocalServers } from '../../src/platform/local-servers/local-servers.js';
import { createLog } from '../../src/platform/observability/log.js';
import type { Stores } from '../../src/app/stores.js';
import { ServerProcess } from './server-process.js';

/** As in `src/config.ts`. */
const POOL_SIZE = 16;
const SECRETS = { JWT_SECRET: 'bench-jwt-secret'.repeat(3), CODE_PEPPER: 'bench-code-pepper'.repeat(3) };

/** Private, durable servers with nothing else on them, and the services to fill and to count what is in them. */
export interface BenchWorld {
  readonly dataDir: string;
  readonly databaseUrl: string;
  readonly stores: Stores;
  readonly app: App;
  readonly services: Services;
  /** A server as a user has it, or another program of this folder; `settings` are environment variables. */
  startServer(settings?: Readonly<Record<string, string>>, program?: string): Promise<ServerProcess>;
  close(): Promise<void>;
}

export async function openBenchWorld(
  say: (line: string) => void,
  databaseArgs: readonly string[] = [],
): Promise<BenchWorld> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'redeemkit-bench-'));
  const closers: (() => Promise<void>)[] = [async () => rm(dataDir, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const step of closers.splice(0).toReversed()) await step();
  };
  try {
    const { databaseUrl, redisUrl, stop } = await startLocalServers({
      dataDir,
      log: say,
      durable: true,
      extraArgs: databaseArgs,
    });
    closers.push(stop);
    await migrateUp(databaseUrl);
    const environment = serverEnvironment(databaseUrl, redisUrl);
    const config = loadConfig(environment);
    const log = createLog({ level: 'silent' });
    const { stores, app, services } = await openApp(
      {
        config,
        jwtSecret: SECRETS.JWT_SECRET,
        codePepper: SECRETS.CODE_PEPPER,
        databaseUrl,
        redisUrl,
        databasePoolSize: 4,
        commitPoolSize: 2,
        storeTimeoutMs: 30_000,
      },
      log,
    );
    closers.push(async () => stores.close());
    const startServer: BenchWorld['startServer'] = async (settings = {}, program = 'server.ts') => {
      const server = await ServerProcess.start(program, { ...environment, ...settings });
      closers.push(async () => server.stop());
      return server;
    };
    return { dataDir, databaseUrl, stores, app, services, startServer, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function serverEnvironment(databaseUrl: string, redisUrl: string): Record<string, string> {
  return {
    ...SECRETS,
    NODE_ENV: 'production',
    ROLE: 'all',
    PORT: '0',
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    DATABASE_POOL_SIZE: String(POOL_SIZE),
    LOG_LEVEL: 'warn',
    TRUST_PROXY: 'true',
    // On a machine that does other work too, a slow answer is still an answer to count.
    STORE_TIMEOUT_MS: '10000',
    // Failures are counted as always, but the callers whose refusals are measured are not locked out.
    LOCKOUT_USER_FAILURES: '1000000',
    LOCKOUT_DEVICE_FAILURES: '1000000',
    LOCKOUT_ADDRESS_FAILURES: '1000000',
    LOCKOUT_TENANT_FAILURES: '1000000',
  };
}
