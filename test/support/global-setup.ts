import type { TestProject } from 'vitest/node';
import { migrateUp } from '../../src/migrations/migrate.js';
import { startTestServers, type TestServers } from './test-servers.js';

declare module 'vitest' {
  export interface ProvidedContext {
    databaseUrl: string;
    redisUrl: string;
  }
}

interface SharedServers {
  readonly started: Promise<TestServers>;
  users: number;
}

/**
 * Vitest loads this file once per project, so a variable of the module would not be shared. All projects of one run
 * live in one process and share one database and one Redis.
 */
const shared = globalThis as typeof globalThis & { redeemkitTestServers?: SharedServers };

async function start(): Promise<TestServers> {
  const servers = await startTestServers(process.env);
  try {
    await migrateUp(servers.databaseUrl);
    return servers;
  } catch (error) {
    await servers.stop();
    throw error;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const servers = (shared.redeemkitTestServers ??= { started: start(), users: 0 });
  servers.users += 1;
  const started = await servers.started;
  project.provide('databaseUrl', started.databaseUrl);
  project.provide('redisUrl', started.redisUrl);
  return async () => {
    servers.users -= 1;
    if (servers.users > 0) return;
    delete shared.redeemkitTestServers;
    await started.stop();
  };
}
