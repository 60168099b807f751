import type { Redis, RedisNode } from '../../src/platform/redis/redis.js';
import { RedisCluster } from '../../src/platform/redis/redis-cluster.js';
import { mastersOf } from '../../src/platform/redis/redis-nodes.js';

/** A connection in the client, which names its socket nowhere else. */
interface Connection {
  readonly stream?: { readonly localPort?: number };
}

/** What a cluster's client listens with: a connection to each master with a channel of its own. */
interface ClusterListener {
  readonly shardedSubscribers: {
    readonly shardedSubscribers: ReadonlyMap<string, { getInstance(): Connection | null }>;
  };
}

/** Has Redis cut the connections on which a process listens, as an outage between the two would. */
export async function killListener(redis: Redis, listener: Redis): Promise<void> {
  const ports = new Set(connectionsOf(listener).map(({ stream }) => stream?.localPort));
  for (const node of await mastersOf(redis)) await killFrom(node, ports);
}

function connectionsOf(listener: Redis): readonly Connection[] {
  if (!(listener instanceof RedisCluster)) return [listener];
  const { shardedSubscribers } = listener as unknown as ClusterListener;
  return [...shardedSubscribers.shardedSubscribers.values()].flatMap((each) => each.getInstance() ?? []);
}

async function killFrom(node: RedisNode, ports: ReadonlySet<number | undefined>): Promise<void> {
  for (const line of String(await node.client('LIST')).split('\n')) {
    const [, id, port] = /id=(\d+) addr=127\.0\.0\.1:(\d+) /.exec(line) ?? [];
    if (id !== undefined && ports.has(Number(port))) await node.client('KILL', 'ID', Number(id));
  }
}
