import calculateSlot from 'cluster-key-slot';
import type { ClusterNode } from '../../support/redis-cluster-servers.js';

interface Move {
  readonly from: ClusterNode;
  readonly to: ClusterNode;
  readonly all: readonly ClusterNode[];
  /** In one MIGRATE. */
  readonly keysAtOnce: number;
}

const MIGRATE_TIMEOUT_MS = 5000;

/** Moves the slot of a tag as `redis-cli --cluster reshard` does, while it is in use. @returns how many keys moved */
export async function moveSlot(tag: string, { from, to, all, keysAtOnce }: Move): Promise<number> {
  const slot = calculateSlot(tag);
  const [fromId, toId] = await Promise.all([from, to].map(async ({ redis }) => redis.cluster('MYID')));
  await to.redis.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId ?? '');
  await from.redis.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId ?? '');
  let moved = 0;
  for (;;) {
    const keys = await from.redis.cluster('GETKEYSINSLOT', slot, keysAtOnce);
    if (keys.length === 0) break;
    const target = ['127.0.0.1', to.server.port, '', 0, MIGRATE_TIMEOUT_MS];
    await from.redis.call('MIGRATE', ...target, 'KEYS', ...keys);
    moved += keys.length;
  }
  // The new owner first: until the old one knows, it still sends everybody there.
  const others = all.filter((node) => node !== to && node !== from);
  for (const { redis } of [to, from, ...others])
    await redis.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId ?? '').catch(() => undefined);
  return moved;
}
