import { setTimeout as pause } from 'node:timers/promises';
import type { ClusterNode, RedisClusterServers } from '../../support/redis-cluster-servers.js';
import type { Random } from '../load/random.js';
import { moveSlot } from './move-slot.js';

/** What a fault is done to: the master of the tenant that is redeemed in. */
export interface ClusterScene {
  readonly servers: RedisClusterServers;
  readonly tenantId: string;
  readonly master: ClusterNode;
  readonly random: Random;
}

export interface ClusterKind {
  readonly name: string;
  /** The fault, from its beginning until all is mended. @returns how it is known to have happened */
  readonly happen: (scene: ClusterScene) => Promise<string>;
}

const killed: ClusterKind = {
  name: 'MASTER_KILLED',
  happen: async ({ servers, tenantId, master }) => {
    await master.server.kill();
    const next = await servers.replaced(tenantId, master);
    await master.server.start(...master.args);
    return `${next.server.port} took the place of ${master.server.port}`;
  },
};

const paused: ClusterKind = {
  name: 'MASTER_PAUSED',
  happen: async ({ servers, tenantId, master, random }) => {
    const pauseMs = random.between(200, 5000);
    master.server.signal('SIGSTOP');
    await pause(pauseMs);
    master.server.signal('SIGCONT');
    await servers.whole();
    const isReplaced = (await servers.masterOf(tenantId)) !== master;
    return `it was paused for ${pauseMs} ms, and ${isReplaced ? 'was' : 'was not'} replaced`;
  },
};

const demoted: ClusterKind = {
  name: 'MASTER_DEMOTED',
  happen: async ({ servers, tenantId, master, random }) => {
    const replica = await servers.replicaOf(master);
    // In agreement with its master, or without having asked any node: then what it had not heard of is lost.
    const how = random.between(0, 1) === 0 ? [] : ['TAKEOVER' as const];
    await replica.redis.call('CLUSTER', 'FAILOVER', ...how);
    await servers.replaced(tenantId, master);
    return `${replica.server.port} became the master ${how[0] ?? 'by agreement'}`;
  },
};

const moved: ClusterKind = {
  name: 'SLOT_MOVED',
  happen: async ({ servers, tenantId, master, random }) => {
    const others = (await servers.masters()).filter((each) => each !== master);
    const to = others[random.between(0, others.length - 1)] ?? master;
    const keys = await moveSlot(tenantId, {
      from: master,
      to,
      all: servers.nodes,
      keysAtOnce: random.between(5, 500),
    });
    return `${keys} keys moved to ${to.server.port}`;
  },
};

const partitioned: ClusterKind = {
  name: 'NODE_PARTITIONED',
  happen: async ({ servers, tenantId, master, random }) => {
    servers.isolate(master, true);
    const next = await servers.replacedAsSeenBy(tenantId, master);
    // Until then both take commands: one from clients that know it still.
    await pause(random.between(0, 1000));
    servers.isolate(master, false);
    return `${next.server.port} became the master while ${master.server.port} could still be reached`;
  },
};

export const CLUSTER_KINDS: readonly ClusterKind[] = [killed, paused, demoted, moved, partitioned];
