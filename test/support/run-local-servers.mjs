/** A parent process of private servers, for tests that kill it: sends the URLs and waits for its end. */
import { startLocalServers } from '../../dist/platform/local-servers/local-servers.js';

const services = await startLocalServers({
  dataDir: process.argv[2],
  log: () => undefined,
  durable: false,
});
process.send?.({ databaseUrl: services.databaseUrl, redisUrl: services.redisUrl });
setInterval(() => undefined, 60_000);
