import { setTimeout as pause } from 'node:timers/promises';
import {
  NODE_TIMEOUT_MS,
  type ClusterNode,
  type RedisClusterServers,
} from '../../support/redis-cluster-servers.js';
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
  /** The fault, from its beginning until all is mended. */
  readonly happen: (scene: ClusterScene) => Promise<Happened>;
}

export interface Happened {
  /** How it is known to have happened. */
  readonly proof: string;
  /** The new master may not have heard of all that the old one had answered. */
  readonly mayForget: boolean;
}

const killed: ClusterKind = {
  name: 'MASTER_KILLED',
  happen: async ({ servers, tenantId, master }) => {
    await master.server.kill();
    const next = await servers.replaced(tenantId, master);
    await master.server.start(...master.args);
    return { proof: `${next.server.port} took the place of ${master.server.port}`, mayForget: true };
  },
};

/** For less time than the others wait before they replace it: it goes on with what clients have sent meanwhile. */
const paused: ClusterKind = {
  name: 'MASTER_PAUSED',
  happen: async ({ servers, tenantId, master, random }) => {
    const pauseMs = random.between(100, NODE_TIMEOUT_MS / 2);
    master.server.signal('SIGSTOP');
    await pause(pauseMs);
    master.server.signal('SIGCONT');
    await servers.whole();
    // A machine that is very busy may make the others wait too long.
    const isReplaced = (await servers.masterOf(tenantId)) !== master;
    const fate = isReplaced ? 'was replaced' : 'was not replaced';
    const proof = `${master.server.port} was paused for ${pauseMs} ms, and ${fate}`;
    return { proof, mayForget: isReplaced };
  },
};

/** It awakens as a master that has been replaced, and does not know it yet. */
const pausedLong: ClusterKind = {
  name: 'MASTER_PAUSED_LONG',
  happen: async ({ servers, tenantId, master, random }) => {
    master.server.signal('SIGSTOP');
    const next = await servers.replacedAsSeenBy(tenantId, master);
    await pause(random.between(0, 1000));
    master.server.signal('SIGCONT');
    const proof = `${next.server.port} became the master while ${master.server.port} was paused`;
    return { proof, mayForget: true };
  },
};

/** In agreement with its master: nothing that it has answered is lost. */
const demoted: ClusterKind = {
  name: 'MASTER_DEMOTED',
  happen: async (scene) => ({ proof: await takeOver(scene), mayForget: false }),
};

/** Without having asked any node: what it had not heard of is lost. */
const takenOver: ClusterKind = {
  name: 'MASTER_TAKEN_OVER',
  happen: async (scene) => ({ proof: await takeOver(scene, 'TAKEOVER'), mayForget: true }),
};

async function takeOver(
  { servers, tenantId, master }: ClusterScene,
  ...how: readonly 'TAKEOVER'[]
): Promise<string> {
  const replica = await servers.replicaOf(master);
  await replica.redis.call('CLUSTER', 'FAILOVER', ...how);
  const next = await servers.replaced(tenantId, master);
  if (next !== replica) throw new Error(`${next.server.port} is the master, not ${replica.server.port}.`);
  return `${replica.server.port} became the master in the place of ${master.server.port}`;
}

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
    return { proof: `${keys} keys moved to ${to.server.port}`, mayForget: false };
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
    const proof = `${next.server.port} became the master while ${master.server.port} could still be reached`;
    return { proof, mayForget: true };
  },
};

export const CLUSTER_KINDS: readonly ClusterKind[] = [
  killed,
  paused,
  pausedLong,
  demoted,
  takenOver,
  moved,
  partitioned,
];
