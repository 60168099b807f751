import { PARTITION_TAGS, partitionOf } from '../partitions.js';
import { RedisCluster } from './redis-cluster.js';
import type { Redis } from './redis.js';

export type Heard = (message: string) => void;

/**
 * What is told to all processes, and kept by none. On one Redis it is one channel; in a cluster, one for each partition:
 * a message then costs one master, and a master that is away silences only its own tenants.
 */
export class Channels {
  private readonly names: readonly string[];

  constructor(
    private readonly redis: Redis,
    name: string,
  ) {
    this.names =
      redis instanceof RedisCluster
        ? PARTITION_TAGS.map((tag) => `${name}:{${tag}}`)
        : // Pub/sub knows no numbers of databases, so the channel bears that of the installation's.
          [`${name}:${redis.options.db ?? 0}`];
  }

  /** The channel of a tenant. */
  of(tenantId: string): string {
    const at = this.names.length === 1 ? 0 : partitionOf(tenantId);
    return this.names[at] ?? '';
  }

  async publish(channel: string, message: string): Promise<void> {
    if (this.redis instanceof RedisCluster) await this.redis.spublish(channel, message);
    else await this.redis.publish(channel, message);
  }

  /** @param listener made by `connectRedisListener`; it subscribes again after a reconnect, and after a failover */
  async listen(listener: Redis, heard: Heard): Promise<void> {
    const own = new Set(this.names);
    const onMessage = (channel: string, message: string): void => {
      if (own.has(channel)) heard(message);
    };
    if (listener instanceof RedisCluster) {
      listener.on('smessage', onMessage);
      // A call for each, because a call is for one slot.
      await Promise.all(this.names.map(async (name) => listener.ssubscribe(name)));
    } else {
      listener.on('message', onMessage);
      await listener.subscribe(...this.names);
    }
  }
}
