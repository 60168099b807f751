import { setTimeout as pause } from 'node:timers/promises';
import { createLog } from '../../src/platform/log.js';
import { JobQueue } from '../../src/platform/queue.js';
import { withRedis } from './direct-redis.js';
import type { Kind, Scene } from './kind.js';
import { payloadOf, pendingJobs } from './pending-jobs.js';

const DELIVERIES = 5;
const HANDED_OVER_WITHIN_MS = 5000;
const POLL_MS = 10;
const NOTHING_TO_HAND_OVER = 'nothing is claimed yet that could be handed over to a job';
const ANSWERED = 'what is settled is not handed over any more';

/** The message is held until the caller was put off and its redemption handed over; then the job comes five times. */
export const jobFiveTimes: Kind = {
  name: 'JOB_FIVE_TIMES',
  senseless: {
    KEY_LOOKUP: NOTHING_TO_HAND_OVER,
    LUA_SENT: NOTHING_TO_HAND_OVER,
    LUA_APPLIED: NOTHING_TO_HAND_OVER,
    BEFORE_CONFIRM: 'the hand-over waits behind the confirm that is held',
    BEFORE_PUBLISH: ANSWERED,
    BEFORE_REPLY: ANSWERED,
    CLIENT_RETRIES: ANSWERED,
  },
  happen: async (scene) => {
    const { id, payload } = await handedOver(scene);
    const queue = new JobQueue<object>({
      redisUrl: scene.stage.stores.redis.url,
      name: 'pending-redemptions',
      log: createLog({ level: 'silent' }),
      commandTimeoutMs: HANDED_OVER_WITHIN_MS,
    });
    for (let no = 2; no <= DELIVERIES; no += 1) await queue.add(`copy${no}_${id}`, payload);
    await queue.close();
    scene.prove(`job ${id} was handed in ${DELIVERIES} times`);
    return 'PASS';
  },
};

async function handedOver({ stage, tenantId }: Scene): Promise<{ id: string; payload: object }> {
  return withRedis(stage.stores.redis.url, async (redis) => {
    const giveUp = AbortSignal.timeout(HANDED_OVER_WITHIN_MS);
    while (!giveUp.aborted) {
      const [id] = await pendingJobs(redis, tenantId);
      const payload = id === undefined ? null : await payloadOf(redis, id);
      if (id !== undefined && payload !== null) return { id, payload };
      await pause(POLL_MS);
    }
    throw new Error(`Nothing was handed over within ${HANDED_OVER_WITHIN_MS} ms.`);
  });
}
