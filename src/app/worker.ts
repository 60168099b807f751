import type { MikroORM } from '@mikro-orm/core';
import type { Config } from '../config.js';
import { PartitionLeases } from '../platform/leases/partition-leases.js';
import type { Logger } from '../platform/observability/log.js';
import type { Metrics } from '../platform/observability/metrics.js';
import { EventConsumers, type EventConsumer } from '../platform/outbox/event-consumers.js';
import { EventLog } from '../platform/outbox/event-log.js';
import { OutboxRetention } from '../platform/outbox/outbox-retention.js';
import type { Doorbell } from '../platform/push/doorbell.js';
import { JobQueue } from '../platform/queue/job-queue.js';
import { isPeriodic, type Job, type PeriodicJob, type Worker } from '../platform/scheduling/job.js';
import { Periodic } from '../platform/scheduling/periodic.js';

const SCHEDULE_EVERY_MS = 60_000;
const RETENTION_EVERY_MS = 600_000;

export interface RunningWorker {
  stop(): Promise<void>;
}

/** What the worker role does beside answering: the jobs and the consumers of the modules, and the retention of events. */
export async function startWorker(its: WorkerParts): Promise<RunningWorker> {
  const { jobs, config, redisUrl, log } = its;
  const leases = new PartitionLeases(its.orm, its);
  const consumers = new EventConsumers(its.consumers, {
    ...its,
    leases,
    eventLog: new EventLog(its.orm, config.STORE_TIMEOUT_MS),
  });
  its.doorbell.onRing((tenantId) => consumers.heard(tenantId));
  const periodic = [retentionOf(its), ...jobs.filter(isPeriodic)];
  const forAll = periodic.filter(({ where }) => where === 'IN_ONE');
  const inOne = await scheduled(forAll, config, redisUrl, log);
  const isOwn = (tenantId: string): boolean => leases.holds(tenantId);
  const inEach = periodic
    .filter(({ where }) => where === 'IN_EACH')
    .map(
      ({ name, everyMs, run }) =>
        new Periodic({ name, everyMs, log }, async (signal) => void (await run(signal, isOwn))),
    );
  const workers = jobs.filter((job): job is Worker => !isPeriodic(job));
  await leases.start(consumers.tenantsCame);
  for (const each of [...inEach, ...workers, consumers]) each.start();
  const stop = async (): Promise<void> => {
    // The tenants go to other workers as soon as their events are left alone, not after a job that takes long.
    const leaving = consumers.stop().then(async () => leases.stop());
    await Promise.all(inEach.map(async (each) => each.stop()));
    await inOne.stop();
    for (const worker of workers) await worker.stop();
    await leaving;
  };
  return { stop };
}

function retentionOf({ orm, config, log, consumers }: WorkerParts): PeriodicJob {
  const names = consumers.map(({ name }) => name);
  const retention = new OutboxRetention(orm, config.OUTBOX_RETENTION_DAYS, names);
  return {
    name: 'event retention',
    everyMs: RETENTION_EVERY_MS,
    where: 'IN_EACH',
    run: async (signal, isOwn) => {
      const deleted = await retention.prune(signal, isOwn);
      if (deleted > 0) log.info({ deleted }, 'expired events were deleted');
    },
  };
}

export interface WorkerParts {
  readonly orm: MikroORM;
  readonly config: Config;
  readonly redisUrl: string;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly doorbell: Doorbell;
  readonly jobs: readonly Job[];
  readonly consumers: readonly EventConsumer[];
}

/** Jobs that one process does for all, by a queue that all processes share. */
async function scheduled(
  jobs: readonly PeriodicJob[],
  config: Config,
  redisUrl: string,
  log: Logger,
): Promise<RunningWorker> {
  const byName = new Map(jobs.map((job) => [job.name, job]));
  const queue = new JobQueue<{ readonly job: string }>({
    redisUrl,
    name: 'housekeeping',
    log,
    commandTimeoutMs: config.STORE_TIMEOUT_MS,
  });
  queue.start(async ({ job }) => void (await byName.get(job)?.run()));
  const schedule = async (): Promise<void> => {
    for (const { name, everyMs } of jobs)
      await queue
        .repeat(name, everyMs, { job: name })
        .catch((error: unknown) => log.warn({ err: error, job: name }, 'a job was not scheduled'));
  };
  await schedule();
  // Schedules live in Redis alone, so they are made again should it have been emptied, or away.
  const scheduling = setInterval(() => void schedule(), SCHEDULE_EVERY_MS);
  const stop = async (): Promise<void> => {
    clearInterval(scheduling);
    await queue.close();
  };
  return { stop };
}
