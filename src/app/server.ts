import type { Services } from './modules.js';
import { openApp, type OpenedApp, type OpenSettings } from './open.js';
import { connectionsOf } from '../redemption/commit/group-commit.js';
import { serveFairly } from '../transport/fair-schema.js';
import type { TryOut } from '../transport/graphiql.js';
import type { HttpServerParts } from '../transport/parts.js';
import { operationCheck } from '../transport/operation-check.js';
import { createHttpServer } from '../transport/server.js';
import type { Logger } from '../platform/observability/log.js';
import { systemEm } from '../platform/database/orm.js';
import { probeWrites } from '../platform/redis/redis-nodes.js';
import { OWN_VERSION } from '../platform/own-version.js';
import { settingsWarnings } from '../platform/database/settings-check.js';
import { modules } from './modules.js';
import { buildRedeemkitSchema, type FurtherOperations } from './schema.js';
import { startWorker, type RunningWorker } from './worker.js';
import type { Stores } from './stores.js';
import { StopWait } from '../platform/scheduling/stop-wait.js';

export interface ServerSettings extends Pick<
  OpenSettings,
  'config' | 'jwtSecret' | 'codePepper' | 'databaseUrl' | 'redisUrl'
> {
  /** What GraphiQL is filled with in development. */
  readonly tryOut?: () => TryOut | null;
  /** Makes operations beside the product's own; for measurements. */
  readonly further?: (services: Services) => FurtherOperations;
}

/** A process at work. */
export interface RunningServer {
  /** Where it listens. */
  readonly address: string;
  readonly services: Services;
  readonly stores: Stores;
  /** Takes nothing new, finishes what is under way, then lets go of the stores. */
  stop(): Promise<void>;
}

/** Starts what the role asks for: the API, the worker, or both. */
export async function startServer(settings: ServerSettings, log: Logger): Promise<RunningServer> {
  const { config } = settings;
  const opened = await openApp(
    {
      ...settings,
      databasePoolSize: config.DATABASE_POOL_SIZE,
      commitPoolSize: connectionsOf(config.COMMIT_LANES) + 2,
      storeTimeoutMs: config.STORE_TIMEOUT_MS,
      shown: { role: config.ROLE, version: OWN_VERSION },
      reads: { poolSize: config.READ_POOL_SIZE, statementMsMax: config.READ_TIMEOUT_MS },
    },
    log,
  );
  const { stores, app, services } = opened;
  services.feed.prepareWith(services.consumers);
  await services.doorbell.listen();
  for (const warning of await settingsWarnings(stores.orm, stores.redis)) log.warn(warning);
  const work = config.ROLE === 'api' ? null : await startWorker({ ...services, ...app, orm: stores.orm });
  const http = await createHttpServer(httpParts(opened, settings));
  const address = await http.listen();
  const stop = async (): Promise<void> => {
    await http.close();
    await services.redemptions.drained();
    await stopRest(opened, work, log);
  };
  return { address, services, stores, stop };
}

function httpParts({ stores, app, services }: OpenedApp, settings: ServerSettings): HttpServerParts {
  const { tryOut, further } = settings;
  const schema = serveFairly(buildRedeemkitSchema(app.resolvers, further?.(services)), services.shares);
  services.operationPorts.checkOperation = operationCheck(schema, settings.config);
  return {
    ...services,
    schema,
    routes: app.routes,
    permissions: modules.permissions,
    events: services.feed,
    metrics: services.metrics.registry,
    ...(tryOut === undefined ? {} : { tryOut }),
    health: {
      // Written, because a replica and a Redis without memory answer a PING all the same.
      redis: async () => probeWrites(stores.redis),
      // Of a table: a node of Galera without its cluster answers questions about none.
      database: async () => systemEm(stores.orm).execute('select 1 from process_node limit 1'),
    },
  };
}

/** With the database away none of it would ever end. What it has not taken was deferred to the queue. */
async function stopRest(
  { stores, services }: OpenedApp,
  work: RunningWorker | null,
  log: Logger,
): Promise<void> {
  const wait = new StopWait();
  const inTime = async (step: Promise<unknown>): Promise<void> => {
    const tried = step.catch((error: unknown) =>
      log.warn({ err: error }, 'stopping continues after a failure'),
    );
    if (!(await wait.endOf(tried))) log.warn('stopping continues without waiting for the database');
  };
  // Both wait for the same database, and need nothing of each other.
  await inTime(
    Promise.all([
      services.groupCommit.drained(),
      services.attemptLog.flush(),
      services.refusalCounter.flush(),
      services.presence.drained(),
    ]),
  );
  if (work !== null) await inTime(work.stop());
  services.feed.close();
  await inTime(stores.close());
}
