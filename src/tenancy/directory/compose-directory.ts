import type { Config } from '../../config.js';
import { AgedRows } from '../../platform/database/aged-rows.js';
import { isStoreAway } from '../../platform/failures.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import type { Job } from '../../platform/scheduling/job.js';
import type { TenantCopies } from '../tenant-change.service.js';
import type { TenantService } from '../tenant.service.js';
import type { DirectoryMetrics } from './directory.metrics.js';
import { DirectoryService } from './directory.service.js';
import { DirectorySync } from './directory-sync.js';
import { HttpTenantDirectory } from './http-tenant-directory.js';
import { LocalTenantDirectory } from './local-tenant-directory.js';
import type { TenantDirectory } from './tenant-directory.js';
import { TenantEventConsumer } from './tenant-event-consumer.js';
import { TenantEventHandler } from './tenant-event-handler.js';
import { TenantEventLetterService } from './tenant-event-letters.service.js';
import { TenantEventStream } from './tenant-events.redis.js';
import { TenantUpdateService } from './tenant-updates.service.js';

const RETENTION_EVERY_MS = 600_000;
/** A delivery later than this is no longer known by its id, but its version is still an old one. */
const EVENTS_KEPT_DAYS = 30;

export interface DirectoryNeeds extends Pick<
  PlatformServices,
  'orm' | 'readOrm' | 'clock' | 'ids' | 'transactions' | 'log'
> {
  readonly config: Config;
  readonly redisUrl: string;
  readonly metrics: DirectoryMetrics;
  readonly tenants: TenantService;
  readonly tenantCopies: readonly Partial<TenantCopies>[];
}

/** The directory that owns names, types and statuses of tenants. */
export function directoryOf({
  orm,
  config,
  metrics,
  clock,
  log,
}: Omit<DirectoryNeeds, 'tenants' | 'tenantCopies'>): TenantDirectory {
  if (config.DIRECTORY_URL === undefined) return new LocalTenantDirectory(orm);
  return new HttpTenantDirectory(
    {
      url: config.DIRECTORY_URL,
      token: config.DIRECTORY_TOKEN,
      timeoutMs: config.DIRECTORY_TIMEOUT_MS,
      budgetMs: config.DIRECTORY_BUDGET_MS,
      breakMs: config.DIRECTORY_BREAK_MS,
    },
    metrics,
    clock,
    log,
  );
}

/** What follows from the directory: updates by its events and its answers, and what has to ask it. */
export function composeDirectory(its: DirectoryNeeds, directory: TenantDirectory) {
  const { config } = its;
  const updates = new TenantUpdateService(its, its.tenantCopies);
  const sync = new DirectorySync({ ...its, directory, updates });
  const handler = new TenantEventHandler(updates);
  const letters = new TenantEventLetterService(its, handler);
  const source = new TenantEventStream({
    redisUrl: config.DIRECTORY_EVENTS_URL ?? its.redisUrl,
    stream: config.DIRECTORY_STREAM,
    redeliverMs: config.DIRECTORY_REDELIVER_MS,
  });
  const attemptsMax = config.DIRECTORY_EVENT_ATTEMPTS;
  const consumer = new TenantEventConsumer({ ...its, source, handler, letters, sync, attemptsMax });
  const terms = {
    graceMs: config.DIRECTORY_GRACE_S * 1000,
    staleAfterMs: config.DIRECTORY_STALE_S * 1000,
  };
  return {
    services: {
      directory: new DirectoryService({ ...its, directory, sync, letters }, terms),
      directorySync: sync,
      tenantEvents: handler,
      tenantEventLetters: letters,
    },
    jobs: directory.isRemote ? jobsOf(its, consumer, sync) : [],
  };
}

function jobsOf(
  { orm, config, log }: DirectoryNeeds,
  consumer: TenantEventConsumer,
  sync: DirectorySync,
): Job[] {
  const retention = new AgedRows(orm, {
    table: 'tenant_event',
    column: 'handled_at',
    keptDays: EVENTS_KEPT_DAYS,
  });
  return [
    consumer,
    {
      name: 'tenant directory',
      everyMs: config.DIRECTORY_SYNC_S * 1000,
      where: 'IN_ONE',
      run: async (signal) => {
        try {
          const updated = await sync.run(signal);
          if (updated > 0) log.info({ updated }, 'tenants were updated without events of their directory');
        } catch (error) {
          // The next run asks again; a job that fails would be kept for ever.
          if (isStoreAway(error)) throw error;
          log.warn({ err: error }, 'not all tenants were compared with their directory');
        }
      },
    },
    {
      name: 'tenant event retention',
      everyMs: RETENTION_EVERY_MS,
      where: 'IN_EACH',
      keeps: [{ what: 'Events of the tenant directory', days: EVENTS_KEPT_DAYS }],
      run: async (signal, isOwn) => retention.prune(signal, isOwn),
    },
  ];
}
