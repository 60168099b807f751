import type { App } from '../../src/app/modules.js';
import { openApp } from '../../src/app/open.js';
import { loadConfig } from '../../src/config.js';
import { createLog, type Logger } from '../../src/platform/observability/log.js';
import { EventLog } from '../../src/platform/outbox/event-log.js';
import { leasedConsumers, type LeasedConsumers } from '../support/leased-consumers.js';
import { TEST_SECRETS, type World } from '../support/world.js';

export const PAYMENT_SECRET = 'simulated-payment-'.repeat(3);

/** Nothing gives up because the machine is busy, and nothing is deferred: every request gets its final answer. */
const ENVIRONMENT = {
  NODE_ENV: 'test',
  STORE_TIMEOUT_MS: '60000',
  REPLY_WITHIN_MS: '600000',
  CLAIM_DEADLINE_MS: '600000',
  LOCKOUT_USER_FAILURES: '0',
  ATTEMPT_LOG_PER_MINUTE: '0',
  ORDERS_PENDING_MAX: '8',
  POINT_VALUE: '0.1',
  PAYMENT_SECRET,
};
const STORE_TIMEOUT_MS = 60_000;

export interface Urls {
  readonly databaseUrl: string;
  readonly redisUrl: string;
}

export interface Workers {
  readonly worlds: readonly [World, ...World[]];
  close(): Promise<void>;
}

/**
 * Several processes in one: each has connections, caches, commits and ids of its own. The first one also handles events.
 * @param heard gets each warning and error of their logs: none belongs here
 */
export async function openWorkers(
  urls: Urls,
  count: number,
  heard: (line: string) => void,
): Promise<Workers> {
  const log = createLog({ level: 'warn' }, { write: (line) => heard(line.trim()) });
  const first = await openWorker(urls, log);
  const others = await Promise.all(Array.from({ length: count - 1 }, async () => openWorker(urls, log)));
  const consumers = startConsumers(first, log);
  const worlds = [first, ...others] as const;
  const close = async (): Promise<void> => {
    await consumers.stop();
    await Promise.all(worlds.map(async (world) => world.close()));
  };
  return { worlds, close };
}

async function openWorker(urls: Urls, log: Logger): Promise<World> {
  const { stores, app, services } = await openApp(
    {
      config: loadConfig(ENVIRONMENT),
      ...TEST_SECRETS,
      ...urls,
      databasePoolSize: 8,
      commitPoolSize: 4,
      storeTimeoutMs: STORE_TIMEOUT_MS,
    },
    log,
  );
  const close = async (): Promise<void> => {
    await services.groupCommit.drained();
    await stores.close();
  };
  return { app, services, stores, close };
}

function startConsumers({ app, stores }: { app: App } & Pick<World, 'stores'>, log: Logger): LeasedConsumers {
  const { consumers, doorbell, metrics } = app.services;
  const eventLog = new EventLog(stores.orm, STORE_TIMEOUT_MS);
  const running = leasedConsumers(consumers, { orm: stores.orm, eventLog, log, metrics });
  doorbell.onRing((tenantId) => running.heard(tenantId));
  running.start();
  return running;
}
