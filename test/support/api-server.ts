import { inject } from 'vitest';
import { startServer, type RunningServer } from '../../src/app/server.js';
import { loadConfig } from '../../src/config.js';
import { createLog, type Logger } from '../../src/platform/observability/log.js';
import { PATIENT, TEST_SECRETS } from './world.js';

/** A server in this process: by default an API without a worker, on the stores of the test run. */
export async function startApi(
  environment: Readonly<Record<string, string>> = {},
  urls: { readonly databaseUrl?: string; readonly redisUrl?: string } = {},
  log: Logger = createLog({ level: 'silent' }),
): Promise<RunningServer> {
  const config = loadConfig({ NODE_ENV: 'test', PORT: '0', ROLE: 'api', ...PATIENT, ...environment });
  const { databaseUrl = inject('databaseUrl'), redisUrl = inject('redisUrl') } = urls;
  return startServer({ config, ...TEST_SECRETS, databaseUrl, redisUrl }, log);
}
