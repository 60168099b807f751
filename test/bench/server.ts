/** The server under load: a real one, with an empty mutation beside its own. Its settings are in its environment. */
import 'reflect-metadata';
import { writeFile } from 'node:fs/promises';
import { Session } from 'node:inspector/promises';
import { loadConfig } from '../../src/config.js';
import { present } from '../../src/platform/assert.js';
import { createLog } from '../../src/platform/observability/log.js';
import { startServer } from '../../src/app/server.js';
import { EmptyMutationResolver } from './empty-mutation.js';
import type { ServerMessage } from './server-process.js';

const config = loadConfig();
const server = await startServer(
  {
    config,
    databaseUrl: present(config.DATABASE_URL, 'DATABASE_URL'),
    redisUrl: present(config.REDIS_URL, 'REDIS_URL'),
    jwtSecret: present(config.JWT_SECRET, 'JWT_SECRET'),
    codePepper: present(config.CODE_PEPPER, 'CODE_PEPPER'),
    further: () => [new EmptyMutationResolver()],
  },
  createLog({ level: config.LOG_LEVEL }),
);

const inspector = new Session();

async function obey(message: ServerMessage): Promise<void> {
  switch (message.kind) {
    case 'STOP':
      await server.stop();
      process.exit(0);
      break;
    case 'PROFILE':
      inspector.connect();
      await inspector.post('Profiler.enable');
      await inspector.post('Profiler.start');
      break;
    case 'WRITE_PROFILE': {
      const { profile } = await inspector.post('Profiler.stop');
      await writeFile(message.file, JSON.stringify(profile));
      inspector.disconnect();
      break;
    }
    case 'CPU':
      break;
  }
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMs: (user + system) / 1000 });
}

process.on('message', (message: ServerMessage) => {
  obey(message).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});
// Without its parent it has no servers either.
process.on('disconnect', () => process.exit(1));
process.send?.({ address: server.address });
