import type { EntityName, MikroORM } from '@mikro-orm/core';
import type { Logger } from '../platform/observability/log.js';
import { connectOrm } from '../platform/database/orm.js';
import { acquireProcessNode, type ProcessNodeHolder } from '../platform/database/process-node.js';
import type { ShownProcess } from '../platform/database/process-presence.js';
import { connectRedis, connectRedisListener, type Redis } from '../platform/redis/redis.js';

export interface StoreSettings {
  readonly entities: readonly EntityName[];
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly databasePoolSize: number;
  /** A connection for each lane of the group commit, and some for those who tombstone. */
  readonly commitPoolSize: number;
  readonly storeTimeoutMs: number;
  /** Fingerprints of the keys that this process can read with, published to the other processes. */
  readonly keyPrints: readonly string[];
  /** What staff see of a process that stays. */
  readonly shown?: ShownProcess;
  /** Connections for queries alone; without them queries take those of everything else. */
  readonly reads?: { readonly poolSize: number; readonly statementMsMax: number };
}

/** The connections of a process, and its place among the others. */
export interface Stores {
  readonly orm: MikroORM;
  /** For queries alone, which give up after a while: lists must not take the connections of redemptions. */
  readonly readOrm: MikroORM;
  /** For commits alone: a message of theirs holds several statements. */
  readonly commitOrm: MikroORM;
  readonly redis: Redis;
  /** For those who need a connection of their own. */
  readonly redisUrl: string;
  /** Only listens. */
  readonly listener: Redis;
  readonly node: ProcessNodeHolder;
  close(): Promise<void>;
}

/** Share of the timeout before a silent database is checked over another connection, and share for that check. */
const SHARE_OF_WAIT = 0.6;

/** Connects to the database and to Redis, and takes a node number for this process' ids. */
export async function openStores(settings: StoreSettings, log: Logger): Promise<Stores> {
  const { databaseUrl, entities, reads } = settings;
  const askAfterMs = Math.floor(settings.storeTimeoutMs * SHARE_OF_WAIT);
  const common = { databaseUrl, entities, bounds: { askAfterMs, whenAway: 'REFUSE' as const } };
  const orm = await connectOrm({ ...common, poolSize: settings.databasePoolSize });
  const readOrm = reads === undefined ? orm : await connectOrm({ ...common, ...reads });
  const commitOrm = await connectOrm({
    ...common,
    poolSize: settings.commitPoolSize,
    severalStatements: true,
    bounds: { askAfterMs, whenAway: 'WAIT' },
  });
  const { keyPrints, shown } = settings;
  const node = await acquireProcessNode(orm, log, { keyPrints, ...(shown !== undefined && { shown }) });
  const redis = connectRedis(settings.redisUrl, settings.storeTimeoutMs);
  const listener = connectRedisListener(settings.redisUrl);
  const close = async (): Promise<void> => {
    // Without the database the lease expires, and the stop need not wait for it.
    await node.release().catch((error: unknown) => log.warn({ err: error }, 'process node was not released'));
    redis.disconnect();
    listener.disconnect();
    await Promise.all([...new Set([orm, readOrm, commitOrm])].map(async (each) => each.close()));
  };
  return { orm, readOrm, commitOrm, redis, redisUrl: settings.redisUrl, listener, node, close };
}
