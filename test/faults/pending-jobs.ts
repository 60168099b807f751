import type { Cluster, Redis as SingleRedis } from 'ioredis';
import { pendingQueueOf } from '../support/redis-keys.js';

type Redis = SingleRedis | Cluster;

const QUEUE = '{bull}:pending-redemptions';

/** Ids of the jobs of a tenant's deferred redemptions that are not settled yet. */
export async function pendingJobs(redis: Redis, tenantId: string): Promise<readonly string[]> {
  const queue = pendingQueueOf(redis, tenantId);
  const lists = await Promise.all([
    redis.lrange(`${queue}:wait`, 0, -1),
    redis.lrange(`${queue}:active`, 0, -1),
    redis.zrange(`${queue}:delayed`, '0', '-1'),
    redis.zrange(`${queue}:prioritized`, '0', '-1'),
  ]);
  return lists.flat().filter((id) => id.includes(tenantId));
}

/** What a job was given. */
export async function payloadOf(redis: Redis, jobId: string): Promise<object | null> {
  const data = await redis.hget(`${QUEUE}:${jobId}`, 'data');
  return data === null ? null : (JSON.parse(data) as object);
}

/** How a job has ended that a worker had taken up; null before. */
export async function endOf(redis: Redis, jobId: string): Promise<'completed' | 'failed' | null> {
  if ((await redis.hget(`${QUEUE}:${jobId}`, 'processedOn')) === null) return null;
  if ((await redis.zscore(`${QUEUE}:completed`, jobId)) !== null) return 'completed';
  return (await redis.zscore(`${QUEUE}:failed`, jobId)) === null ? null : 'failed';
}
