import { resolverContainer, type Services } from './compose.js';
import { openApp, type OpenSettings } from './open.js';
import { propagateChanges } from './change-propagation.js';
import { serveFairly } from '../transport/fair-schema.js';
import type { TryOut } from '../transport/graphiql.js';
import { createHttpServer } from '../transport/server.js';
import type { Logger } from '../platform/observability/log.js';
import { systemEm } from '../platform/database/orm.js';
import { settingsWarnings } from '../platform/database/settings-check.js';
import { buildRedeemkitSchema, type ResolverClass } from './schema.js';
import { startWork } from './worker.js';
import type { Stores } from './stores.js';
import { StopWait } from '../platform/scheduling/stop-wait.js';

export interface ServerSettings extends Pick<
  OpenSettings,
  'config' | 'jwtSecret' | 'codePepper' | 'databaseUrl' | 'redisUrl'
> {
  /** What GraphiQL is filled with in development. */
  readonly tryOut?: () => TryOut | null;
  /** Resolvers beside the product's own, and how to make them; for measurements. */
  readonly further?: { readonly resolver: ResolverClass; readonly make: (services: Services) => object };
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
  const { config, redisUrl } = settings;
  const { stores, services } = await openApp(
    {
      ...settings,
      databasePoolSize: config.DATABASE_POOL_SIZE,
      commitPoolSize: config.COMMIT_LANES + 2,
      storeTimeoutMs: config.STORE_TIMEOUT_MS,
      reads: { poolSize: config.READ_POOL_SIZE, statementMsMax: config.READ_TIMEOUT_MS },
    },
    log,
  );
  propagateChanges(services);
  await services.wake.listen();
  for (const warning of await settingsWarnings(stores.orm, stores.redis)) log.warn(warning);
  const work = config.ROLE === 'api' ? null : await startWork(services, config, redisUrl, log);
  const http = await createHttpServer({
    schema: serveFairly(schemaFor(services, settings.further), services.shares),
    shares: services.shares,
    tokens: services.tokens,
    access: services.access,
    config,
    log,
    redis: stores.redis,
    events: services.feed,
    metrics: services.metrics.registry,
    ...(settings.tryOut === undefined ? {} : { tryOut: settings.tryOut }),
    health: {
      // Written, because a replica and a Redis without memory answer a PING all the same.
      redis: async () => stores.redis.set('health', '1', 'EX', 60),
      database: async () => systemEm(stores.orm).execute('select 1'),
    },
  });
  const address = await http.listen();
  // With the database away none of it would ever end. What it has not taken was handed over to the queue.
  const inTime = async (wait: StopWait, step: Promise<void>): Promise<void> => {
    const tried = step.catch((error: unknown) =>
      log.warn({ err: error }, 'stopping goes on after a failure'),
    );
    if (!(await wait.endOf(tried))) log.warn('stopping goes on without waiting for the database');
  };
  const stop = async (): Promise<void> => {
    await http.close();
    await services.redemptions.drained();
    const wait = new StopWait();
    await inTime(wait, services.settlement.drained());
    if (work !== null) await inTime(wait, work.stop());
    services.bus.close();
    await inTime(wait, stores.close());
  };
  return { address, services, stores, stop };
}

function schemaFor(services: Services, further: ServerSettings['further']) {
  const container = resolverContainer(services);
  if (further === undefined) return buildRedeemkitSchema(container);
  const instance = further.make(services);
  return buildRedeemkitSchema(
    { get: (resolver) => (resolver === further.resolver ? instance : container.get(resolver)) },
    [further.resolver],
  );
}
