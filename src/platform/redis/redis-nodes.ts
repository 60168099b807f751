import { PARTITION_TAGS } from '../partitions.js';
import { RedisCluster } from './redis-cluster.js';
import { answered, type Redis, type RedisNode } from './redis.js';

/** The servers that hold the data: one, or all masters of a cluster. @throws StoreUnavailableError when one is missing */
export async function mastersOf(redis: Redis): Promise<readonly RedisNode[]> {
  return redis instanceof RedisCluster ? redis.masters() : [redis];
}

/** The clock that scripts on this key go by. @throws StoreUnavailableError */
export async function redisNowMs(redis: Redis, key: string): Promise<number> {
  const node = redis instanceof RedisCluster ? await redis.masterOf(key) : redis;
  const [seconds, micros] = await answered(node.time());
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
}

/** The run of each server, as long as none is restarted, or replaced by another master. */
export async function serverRuns(redis: Redis): Promise<string> {
  const infos = await Promise.all(
    (await mastersOf(redis)).map(async (node) => answered(node.info('server'))),
  );
  return infos
    .map((info) => /^run_id:(\w+)/m.exec(info)?.[1] ?? '')
    .toSorted()
    .join(' ');
}

/** All keys of a pattern, in pages. A key that is there from beginning to end comes at least once. */
export async function* scanKeys(
  redis: Redis,
  pattern: string,
  pageSize: number,
): AsyncGenerator<readonly string[]> {
  for (const node of await mastersOf(redis)) {
    for (let cursor = '0'; ;) {
      const [next, found] = await answered(node.scan(cursor, 'MATCH', pattern, 'COUNT', pageSize));
      yield found;
      if (next === '0') break;
      cursor = next;
    }
  }
}

/** A walk over all keys of a pattern that never ends; each step looks at some keys of each master. */
export class EndlessScan {
  private readonly cursors = new Map<string, string>();

  constructor(
    private readonly redis: Redis,
    private readonly pattern: string,
    private readonly keysEach: number,
  ) {}

  /** @throws StoreUnavailableError */
  async step(): Promise<readonly string[]> {
    const masters = await mastersOf(this.redis);
    return (await Promise.all(masters.map(async (node) => this.stepOn(node)))).flat();
  }

  private async stepOn(node: RedisNode): Promise<readonly string[]> {
    const name = `${node.options.host}:${node.options.port}`;
    const cursor = this.cursors.get(name) ?? '0';
    const [next, found] = await answered(node.scan(cursor, 'MATCH', this.pattern, 'COUNT', this.keysEach));
    this.cursors.set(name, next);
    return found;
  }
}

const PROBE_KEPT_S = 60;

/**
 * Fails unless it takes writes. A cluster does as long as one of its masters does: a process that called itself unready
 * then would take the tenants of all others with it.
 */
export async function probeWrites(redis: Redis): Promise<void> {
  const write = async (key: string): Promise<unknown> => answered(redis.set(key, '1', 'EX', PROBE_KEPT_S));
  if (redis instanceof RedisCluster)
    await Promise.any(PARTITION_TAGS.map(async (tag) => write(`health:{${tag}}`)));
  else await write('health');
}

/** Fails unless each server answers. */
export async function probeAll(redis: Redis): Promise<void> {
  await Promise.all((await mastersOf(redis)).map(async (node) => answered(node.ping())));
}
