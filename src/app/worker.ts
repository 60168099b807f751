import type { Services } from './compose.js';
import type { Config } from '../config.js';
import type { Logger } from '../platform/observability/log.js';
import { Periodic } from '../platform/scheduling/periodic.js';
import { JobQueue } from '../platform/queue/job-queue.js';

const MINUTE_MS = 60_000;
const RETENTION_EVERY_MS = 10 * MINUTE_MS;

/** Jobs that come round by themselves, by name. */
type Housekeeping = { readonly job: 'SWEEP_SUBSCRIPTIONS' };

export interface Work {
  stop(): Promise<void>;
}

/** What the worker role does beside answering: the outbox relay, and the jobs that come round by themselves. */
export async function startWork(
  services: Services,
  config: Config,
  redisUrl: string,
  log: Logger,
): Promise<Work> {
  const queue = new JobQueue<Housekeeping>({
    redisUrl,
    name: 'housekeeping',
    log,
    commandTimeoutMs: config.STORE_TIMEOUT_MS,
  });
  queue.start(async ({ job }) => {
    const moved = await services.subscriptionJobs.sweepSubscriptions();
    if (moved > 0) log.info({ job, moved }, 'subscriptions ended');
  });
  const schedule = async (): Promise<void> =>
    queue
      .repeat('sweep-subscriptions', MINUTE_MS, { job: 'SWEEP_SUBSCRIPTIONS' })
      .catch((error: unknown) => log.warn({ err: error }, 'housekeeping was not scheduled'));
  await schedule();
  // Schedules live in Redis alone, so they are made again should it have been emptied, or away.
  const scheduling = setInterval(() => void schedule(), MINUTE_MS);
  const sweeps = new Periodic(
    { name: 'claim sweep', everyMs: config.SWEEP_EVERY_MS, log },
    async (signal) => void (await services.sweeper.sweepAll(signal)),
  );
  sweeps.start();
  const retention = new Periodic({ name: 'retention', everyMs: RETENTION_EVERY_MS, log }, async (signal) => {
    const events = await services.outboxRetention.prune(signal);
    const tombstones = await services.tombstones.prune(signal);
    if (events + tombstones > 0) log.info({ events, tombstones }, 'what was kept long enough was deleted');
  });
  retention.start();
  const compensations = new Periodic(
    { name: 'compensation', everyMs: MINUTE_MS, log },
    async (signal) => void (await services.compensationJob.tick(signal)),
  );
  compensations.start();
  const letters = new Periodic({ name: 'dead letters', everyMs: MINUTE_MS, log }, async () => {
    const redriven = await services.deadLetters.redriveOld();
    if (redriven > 0) log.warn({ redriven }, 'old dead letters are tried again');
  });
  letters.start();
  services.pendingJobs.start();
  services.relay.start();
  const stop = async (): Promise<void> => {
    clearInterval(scheduling);
    await Promise.all([sweeps.stop(), retention.stop(), compensations.stop(), letters.stop()]);
    await queue.close();
    await services.pendingJobs.stop();
    await services.relay.stop();
  };
  return { stop };
}
