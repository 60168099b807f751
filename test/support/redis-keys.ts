import { Cluster, type Redis as SingleRedis } from 'ioredis';
import { PARTITION_TAGS, partitionOf } from '../../src/platform/partitions.js';
import type { Redis } from '../../src/platform/redis/redis.js';
import { mastersOf, scanKeys } from '../../src/platform/redis/redis-nodes.js';

/** All keys of a pattern, on whichever server they are. */
export async function keysOf(redis: Redis, pattern: string): Promise<string[]> {
  const found = new Set<string>();
  for await (const keys of scanKeys(redis, pattern, 1000)) for (const key of keys) found.add(key);
  return [...found];
}

/** Everything is forgotten, on all servers. */
export async function emptyRedis(redis: Redis): Promise<void> {
  for (const node of await mastersOf(redis)) await node.flushall();
}

/** The queue of a tenant's deferred redemptions; in a cluster, that of the tenant's partition. */
export function pendingQueueOf(redis: SingleRedis | Cluster, tenantId: string): string {
  const prefix = redis instanceof Cluster ? `bull:{${PARTITION_TAGS[partitionOf(tenantId)]}}` : '{bull}';
  return `${prefix}:pending-redemptions`;
}
