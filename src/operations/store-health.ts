import type { MikroORM } from '@mikro-orm/core';
import { systemEm } from '../platform/database/orm.js';
import type { Redis } from '../platform/redis/redis.js';
import { probeAll } from '../platform/redis/redis-nodes.js';
import { within } from '../platform/scheduling/timeout.js';

/** How long a store has to answer before it is shown as away. */
const ANSWER_WITHIN_MS = 1000;

export const STORES = ['DATABASE', 'REDIS'] as const;
type Store = (typeof STORES)[number];

export interface StoreHealth {
  readonly store: Store;
  readonly isUp: boolean;
  readonly answeredInMs: number | null;
  /** As the server names it; null where it does not say. */
  readonly version: string | null;
}

/** Whether the stores answer this process, and what they are. */
export class StoreHealthService {
  constructor(
    private readonly orm: MikroORM,
    private readonly redis: Redis,
  ) {}

  async look(): Promise<StoreHealth[]> {
    return Promise.all([
      healthOf('DATABASE', async () => this.databaseVersion()),
      healthOf('REDIS', async () => this.redisVersion()),
    ]);
  }

  private async databaseVersion(): Promise<string> {
    const [row] = await systemEm(this.orm).execute<[{ version: string }]>('select version() as version');
    return row.version;
  }

  private async redisVersion(): Promise<string | null> {
    await probeAll(this.redis);
    // Its user may be without this command.
    const info = await this.redis.info('server').catch(() => '');
    const [, name = '', version = null] = /^(valkey|redis)_version:(\S+)/m.exec(info) ?? [];
    return version === null ? null : `${name === 'valkey' ? 'Valkey' : 'Redis'} ${version}`;
  }
}

async function healthOf(store: Store, ask: () => Promise<string | null>): Promise<StoreHealth> {
  const beganMs = performance.now();
  try {
    const kind = store === 'DATABASE' ? 'database' : 'redis';
    const version = await within(ANSWER_WITHIN_MS, kind, ask());
    return { store, isUp: true, answeredInMs: Math.ceil(performance.now() - beganMs), version };
  } catch {
    return { store, isUp: false, answeredInMs: null, version: null };
  }
}
