import type { Services } from './app.js';
import type { Config } from './config.js';
import type { Logger } from './platform/log.js';
import { JobQueue } from './platform/queue.js';

const MINUTE_MS = 60_000;

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
  await queue.repeat('sweep-subscriptions', MINUTE_MS, { job: 'SWEEP_SUBSCRIPTIONS' });
  services.relay.start();
  const stop = async (): Promise<void> => {
    await queue.close();
    await services.relay.stop();
  };
  return { stop };
}
