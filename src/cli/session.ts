import type { Services } from '../app/modules.js';
import { awaitDatabaseServer, awaitStores } from '../app/await-stores.js';
import { loadConfig, type Config } from '../config.js';
import { migrateUp } from '../migrations/migrate.js';
import { assertSchemaIsCurrent } from '../migrations/schema-state.js';
import { DomainError } from '../platform/errors.js';
import { createLog } from '../platform/observability/log.js';
import { StopWait } from '../platform/scheduling/stop-wait.js';
import { settleSecrets } from '../app/secrets.js';
import type { GlobalOptions } from './arguments.js';
import { InterruptedError } from './failures.js';
import { findStores, type FoundStores } from './found-stores.js';
import { operationOf, type NamedCommand } from './operator.js';
import { sayOnStderr } from './output.js';
import { duringOperation } from '../platform/recording/current-operation.js';

type UntilSignal = <T>(work: Promise<T>) => Promise<T>;

/** Runs a command on the stores that there are, and lets go of them, whatever becomes of it. */
export async function withStores<T>(
  options: GlobalOptions,
  work: (found: FoundStores) => Promise<T>,
): Promise<T> {
  return onStores(options, async (found, { START_WAIT_MS: waitMs }, untilSignal) => {
    if (!found.areOwn) await untilSignal(awaitDatabaseServer(found.databaseUrl, { waitMs }));
    return untilSignal(work(found));
  });
}

/**
 * The same, with the services of the product; a tenant that is named has to be there.
 * @param command whose changes are recorded in the audit log; without it none are
 */
export async function withServices<T>(
  options: GlobalOptions & { readonly tenant?: string },
  work: (services: Services) => Promise<T>,
  command?: NamedCommand,
): Promise<T> {
  return onStores(options, async (found, config, untilSignal) => {
    if (found.areOwn) await migrateUp(found.databaseUrl);
    else await untilSignal(ready(found, config));
    // Loaded late: help and mistakes in the usage are answered at once.
    const { openApp } = await import('../app/open.js');
    const log = createLog({ level: options.verbose === true ? config.LOG_LEVEL : 'silent' }, process.stderr);
    const { databaseUrl, redisUrl } = found;
    const secrets = await settleSecrets(config);
    const settings = {
      databasePoolSize: config.DATABASE_POOL_SIZE,
      commitPoolSize: 2,
      storeTimeoutMs: config.STORE_TIMEOUT_MS,
    };
    const { stores, services } = await openApp(
      { config, ...secrets, databaseUrl, redisUrl, ...settings },
      log,
    );
    try {
      if (options.tenant !== undefined) await untilSignal(assertTenant(services, options.tenant));
      const run = async (): Promise<T> => work(services);
      return await untilSignal(command === undefined ? run() : duringOperation(operationOf(command), run));
    } finally {
      // Also after a signal: what was claimed is committed, or deferred, before the stores are let go.
      await services.redemptions.drained();
      const wait = new StopWait();
      await wait.endOf(services.groupCommit.drained());
      await wait.endOf(stores.close());
    }
  });
}

async function ready({ databaseUrl, redisUrl }: FoundStores, config: Config): Promise<void> {
  await awaitStores({ databaseUrl, redisUrl }, { waitMs: config.START_WAIT_MS });
  await assertSchemaIsCurrent(databaseUrl);
}

async function onStores<T>(
  { verbose }: GlobalOptions,
  work: (found: FoundStores, config: Config, untilSignal: UntilSignal) => Promise<T>,
): Promise<T> {
  const config = loadConfig();
  const signals = heedSignals();
  try {
    const found = await findStores(config, verbose === true ? sayOnStderr : () => undefined);
    try {
      return await work(found, config, signals.untilSignal);
    } finally {
      await found.stop();
    }
  } finally {
    signals.ignore();
  }
}

/**
 * A signal ends the wait for the work, and no more: what was opened is closed as ever, so that no private server is
 * left behind. The second one ends the process.
 */
function heedSignals(): { readonly untilSignal: UntilSignal; ignore(): void } {
  const interrupted = Promise.withResolvers<never>();
  // It may come while nothing that could be given up is under way; then the next wait ends with it.
  interrupted.promise.catch(() => undefined);
  const onInterrupt = (): void => interrupted.reject(new InterruptedError(130));
  const onTerminate = (): void => interrupted.reject(new InterruptedError(143));
  process.once('SIGINT', onInterrupt);
  process.once('SIGTERM', onTerminate);
  return {
    untilSignal: async (work) => Promise.race([work, interrupted.promise]),
    ignore: () => {
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', onTerminate);
    },
  };
}

/** Services below take the tenant from a token, which proves it; here a person typed it. */
async function assertTenant({ tenants }: Services, tenantId: string): Promise<void> {
  if ((await tenants.find(tenantId)) !== null) return;
  throw new DomainError('TENANT_NOT_FOUND', `There is no tenant ${JSON.stringify(tenantId)}.`);
}
