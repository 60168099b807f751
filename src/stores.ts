import type { MikroORM } from '@mikro-orm/core';
import { entities } from './entities.js';
import type { Logger } from './platform/log.js';
import { connectOrm } from './platform/orm/orm.js';
import { acquireProcessNode, type ProcessNodeHolder } from './platform/orm/process-node.js';
import { connectRedis, connectRedisListener, type Redis } from './platform/redis/redis.js';

export interface StoreSettings {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly databasePoolSize: number;
  readonly storeTimeoutMs: number;
}

/** The connections of a process, and its place among the others. */
export interface Stores {
  readonly orm: MikroORM;
  readonly redis: Redis;
  /** Only listens. */
  readonly listener: Redis;
  readonly node: ProcessNodeHolder;
  close(): Promise<void>;
}

/** Connects to the database and to Redis, and takes a node number for this process' ids. */
export async function openStores(settings: StoreSettings, log: Logger): Promise<Stores> {
  const orm = await connectOrm({
    databaseUrl: settings.databaseUrl,
    poolSize: settings.databasePoolSize,
    entities,
  });
  const node = await acquireProcessNode(orm, log);
  const redis = connectRedis(settings.redisUrl, settings.storeTimeoutMs);
  const listener = connectRedisListener(settings.redisUrl);
  const close = async (): Promise<void> => {
    await node.release();
    redis.disconnect();
    listener.disconnect();
    await orm.close();
  };
  return { orm, redis, listener, node, close };
}
