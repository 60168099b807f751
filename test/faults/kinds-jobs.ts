import { setTimeout as pause } from 'node:timers/promises';
import { createLog } from '../../src/platform/observability/log.js';
import { JobQueue } from '../../src/platform/queue/job-queue.js';
import { withRedis } from './direct-redis.js';
import { NOT_OF_BATCHES, type Kind, type Scene } from './kind.js';
import { endOf, payloadOf, pendingJobs } from './pending-jobs.js';

const DELIVERIES = 5;
const DEFERRED_WITHIN_MS = 15_000;
const RUN_WITHIN_MS = 60_000;
const POLL_MS = 10;
const NOTHING_TO_DEFER = 'no claim exists yet that could be deferred to a job';
const ANSWERED = 'a settled claim is never deferred';

/** The message is held until the redemption is deferred and its caller answered; then the job is delivered five times. */
export const jobFiveTimes: Kind = {
  name: 'JOB_FIVE_TIMES',
  senseless: {
    KEY_LOOKUP: NOTHING_TO_DEFER,
    LUA_SENT: NOTHING_TO_DEFER,
    LUA_APPLIED: NOTHING_TO_DEFER,
    BEFORE_CONFIRM: 'the deferral waits behind the held confirm',
    BEFORE_PUBLISH: ANSWERED,
    BEFORE_REPLY: ANSWERED,
    CLIENT_RETRIES: ANSWERED,
    ...NOT_OF_BATCHES,
  },
  happen: async (scene) => {
    const { id, payload } = await deferredJob(scene);
    const queue = new JobQueue<object>({
      redisUrl: scene.stage.stores.redis.url,
      name: 'pending-redemptions',
      log: createLog({ level: 'silent' }),
      commandTimeoutMs: DEFERRED_WITHIN_MS,
    });
    const copies = Array.from({ length: DELIVERIES - 1 }, (_, at) => `copy${at + 2}_${id}`);
    for (const copy of copies) await queue.add(copy, payload);
    await queue.close();
    const ids = [id, ...copies];
    scene.proveLater(async () => runsOf(scene, ids));
    return 'PASS';
  },
};

async function deferredJob({ stage, tenantId }: Scene): Promise<{ id: string; payload: object }> {
  return withRedis(stage.stores.redis.url, async (redis) => {
    const giveUp = AbortSignal.timeout(DEFERRED_WITHIN_MS);
    while (!giveUp.aborted) {
      const [id] = await pendingJobs(redis, tenantId);
      const payload = id === undefined ? null : await payloadOf(redis, id);
      if (id !== undefined && payload !== null) return { id, payload };
      await pause(POLL_MS);
    }
    throw new Error(`Nothing was deferred within ${DEFERRED_WITHIN_MS} ms.`);
  });
}

/** @throws Error unless each of these jobs was taken up by a worker and has ended in time */
async function runsOf({ stage }: Scene, ids: readonly string[]): Promise<string> {
  return withRedis(stage.stores.redis.url, async (redis) => {
    const giveUp = AbortSignal.timeout(RUN_WITHIN_MS);
    for (;;) {
      const ended = (await Promise.all(ids.map(async (id) => endOf(redis, id)))).filter(
        (end) => end !== null,
      );
      if (ended.length === ids.length) return `job ${ids[0]} ran ${ended.length} times: ${ended.join(', ')}`;
      if (giveUp.aborted) throw new Error(`Only ${ended.length} of ${ids.length} jobs ran.`);
      await pause(POLL_MS);
    }
  });
}
