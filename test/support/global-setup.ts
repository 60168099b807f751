import type { TestProject } from 'vitest/node';
import { migrateUp } from '../../src/migrations/migrate.js';
import { schemaOf, type MigratedSchema } from './scratch-database.js';
import { startTestServers } from './test-servers.js';

declare module 'vitest' {
  export interface ProvidedContext {
    databaseUrl: string;
    redisUrl: string;
    databaseTemplate: string;
    schema: MigratedSchema;
  }
}

/**
 * A database and a Redis for all test files of a project. Those of another project are not shared: its workers would
 * sweep claims, and take jobs, of tests that count them.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const servers = await startTestServers(process.env);
  try {
    await migrateUp(servers.databaseUrl);
    project.provide('schema', await schemaOf(servers.databaseUrl));
  } catch (error) {
    await servers.stop();
    throw error;
  }
  project.provide('databaseUrl', servers.databaseUrl);
  project.provide('redisUrl', servers.redisUrl);
  project.provide('databaseTemplate', servers.databaseTemplate);
  return servers.stop;
}
