/** A parent process of private servers, for tests that kill it: sends the URLs and waits for its end. */
import path from 'node:path';
import { runnerImport } from 'vite';

const entry = path.resolve(import.meta.dirname, '../../src/platform/local-servers/local-servers.ts');
const { module } = await runnerImport(entry);
const services = await module.startEmbeddedServices({
  dataDir: process.argv[2],
  log: () => undefined,
  durable: false,
});
process.send?.({ databaseUrl: services.databaseUrl, redisUrl: services.redisUrl });
setInterval(() => undefined, 60_000);
