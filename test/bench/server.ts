/** The server under load: a real one, with an empty mutation beside its own. Its settings are in its environment. */
import 'reflect-metadata';
import { loadConfig } from '../../src/config.js';
import { present } from '../../src/platform/assert.js';
import { createLog } from '../../src/platform/observability/log.js';
import { startServer } from '../../src/app/server.js';
import { USERS } from '../../src/graphql/rule.js';
import { serveParent } from './child-server.js';
import { EmptyMutationResolver } from './empty-mutation.js';

const config = loadConfig();
const server = await startServer(
  {
    config,
    databaseUrl: present(config.DATABASE_URL, 'DATABASE_URL'),
    redisUrl: present(config.REDIS_URL, 'REDIS_URL'),
    jwtSecret: present(config.JWT_SECRET, 'JWT_SECRET'),
    codePepper: present(config.CODE_PEPPER, 'CODE_PEPPER'),
    further: () => ({
      resolvers: [new EmptyMutationResolver()],
      permissions: { mutation: { emptyMutation: USERS } },
    }),
  },
  createLog({ level: config.LOG_LEVEL }),
);
serveParent(server.address, async () => server.stop());
