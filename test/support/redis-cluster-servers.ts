import { setTimeout as pause } from 'node:timers/promises';
import calculateSlot from 'cluster-key-slot';
import { Redis } from 'ioredis';
import { findFreePort } from '../../src/platform/local-servers/loopback.js';
import { BusProxy } from './bus-proxy.js';
import { onFreePorts, RedisServer } from './redis-server.js';

const MASTERS = 3;
const SLOTS = 16_384;
/** A master that is silent for this long is replaced by its replica. Low, so that tests need not wait long. */
export const NODE_TIMEOUT_MS = 2000;
const LOOK_MS = 20;
/** Far above what a failover or a synchronisation takes on two busy cores. */
const AGREE_WITHIN_MS = 60_000;
const FIRST_ADDRESS = 11;

const SETTINGS = [
  ['--cluster-enabled', 'yes'],
  ['--cluster-node-timeout', `${NODE_TIMEOUT_MS}`],
  ['--cluster-require-full-coverage', 'no'],
  ['--cluster-allow-pubsubshard-when-down', 'no'],
  ['--cluster-replica-validity-factor', '0'],
  ['--repl-diskless-sync-delay', '0'],
].flat();

/** A server of the cluster, and a connection to it alone. */
export interface ClusterNode {
  /** By which the others reach it; null where no node is to be cut off. */
  readonly bus: BusProxy | null;
  /** From which it reaches the others. */
  readonly address: string;
  /** To start it again with. */
  readonly args: readonly string[];
  readonly server: RedisServer;
  readonly redis: Redis;
}

/** A private Redis Cluster: three masters with a replica each. */
export class RedisClusterServers {
  readonly nodes: readonly ClusterNode[];

  private constructor(nodes: readonly ClusterNode[]) {
    this.nodes = nodes;
  }

  /** @param mayCutOff puts proxies between the nodes, for {@link isolate} */
  static async start({ mayCutOff = false } = {}): Promise<RedisClusterServers> {
    const nodes = await Promise.all(
      Array.from({ length: 2 * MASTERS }, async (_, at) => startNode(at, mayCutOff)),
    );
    const cluster = new RedisClusterServers(nodes);
    await cluster.join();
    return cluster;
  }

  get url(): string {
    return `redis+cluster://${this.nodes.map(({ server }) => `127.0.0.1:${server.port}`).join(',')}`;
  }

  /** The node that is master of a tag's keys now, as the others see it. */
  async masterOf(tag: string): Promise<ClusterNode> {
    const slot = calculateSlot(tag);
    const ranges = await this.ask(async (redis) => redis.cluster('SLOTS'));
    const own = ranges.find(([from, to]) => slot >= from && slot <= to);
    if (own !== undefined) return this.at(Number(own[2]?.[1]));
    throw new Error(`Slot ${slot} has no master.`);
  }

  /** Resolves when another node than this is master of the tag's keys, and answers for them. */
  async replaced(tag: string, lost: ClusterNode): Promise<ClusterNode> {
    return answerOf(`another master than ${lost.server.port}`, async () => {
      const master = await this.masterOf(tag).catch(() => lost);
      return master !== lost && (await isOk(master)) ? master : null;
    });
  }

  /** The nodes that are masters of slots now. */
  async masters(): Promise<readonly ClusterNode[]> {
    const ranges = await this.ask(async (redis) => redis.cluster('SLOTS'));
    return [...new Set(ranges.map(([, , master]) => this.at(Number(master?.[1]))))];
  }

  async replicaOf(master: ClusterNode): Promise<ClusterNode> {
    const [port = 0] = await replicaPorts(master);
    return this.at(port);
  }

  /** As {@link replaced}, asking all nodes but the one that is cut off and knows nothing. */
  async replacedAsSeenBy(tag: string, lost: ClusterNode): Promise<ClusterNode> {
    return new RedisClusterServers(this.nodes.filter((node) => node !== lost)).replaced(tag, lost);
  }

  /** Kills a master and the replicas that could take its place. */
  async lose(master: ClusterNode): Promise<void> {
    const ports = await replicaPorts(master);
    const lost = this.nodes.filter((node) => node === master || ports.includes(node.server.port));
    await Promise.all(lost.map(async ({ server }) => server.kill()));
  }

  /** No node hears of this one by the bus, nor it of them; clients still reach it. */
  isolate(node: ClusterNode, isCut: boolean): void {
    node.bus?.cutAll(isCut);
    for (const other of this.nodes) if (other !== node) other.bus?.cutOff(node.address, isCut);
  }

  /** Resolves when all nodes run, agree, and have three masters with a replica each that is up to date. */
  async whole(): Promise<void> {
    await this.until('sees all slots served', isOk);
    await this.until('is synchronised', async ({ redis }) => {
      const info = await redis.info('replication').catch(() => '');
      const isMaster = fact(info, 'role') === 'master';
      return isMaster ? fact(info, 'connected_slaves') === '1' : fact(info, 'master_link_status') === 'up';
    });
  }

  async close(): Promise<void> {
    for (const { redis, bus } of this.nodes) {
      redis.disconnect();
      bus?.close();
    }
    await Promise.all(this.nodes.map(async ({ server }) => server.close()));
  }

  private at(port: number): ClusterNode {
    const node = this.nodes.find(({ server }) => server.port === port);
    if (node === undefined) throw new Error(`There is no node at port ${port}.`);
    return node;
  }

  /** The first answer of a node that runs. */
  private async ask<T>(question: (redis: Redis) => Promise<T>): Promise<T> {
    return Promise.any(this.nodes.map(async ({ redis }) => question(redis)));
  }

  private async join(): Promise<void> {
    const [first] = this.nodes as [ClusterNode, ...ClusterNode[]];
    const masters = this.nodes.slice(0, MASTERS);
    await Promise.all(
      masters.map(async ({ redis }, at) => {
        const [from, to] = [at, at + 1].map((part) => Math.floor((SLOTS * part) / MASTERS)) as [
          number,
          number,
        ];
        await redis.cluster('ADDSLOTSRANGE', from, to - 1);
        await redis.cluster('SET-CONFIG-EPOCH', at + 1);
      }),
    );
    for (const { server, redis, bus } of this.nodes.slice(1)) {
      const busPort = bus?.port ?? Number((await redis.config('GET', 'cluster-port'))[1]);
      await first.redis.call('CLUSTER', 'MEET', '127.0.0.1', server.port, busPort);
    }
    await this.until('knows all others', async ({ redis }) => {
      const known = fact(await redis.cluster('INFO'), 'cluster_known_nodes');
      return known === `${2 * MASTERS}`;
    });
    await Promise.all(
      masters.map(async ({ redis }, at) => {
        const id = await redis.cluster('MYID');
        await this.nodes[MASTERS + at]?.redis.cluster('REPLICATE', id);
      }),
    );
    await this.whole();
  }

  private async until(what: string, isSo: (node: ClusterNode) => Promise<boolean>): Promise<void> {
    await Promise.all(
      this.nodes.map(async (node) =>
        answerOf(`node ${node.server.port} that ${what}`, async () => ((await isSo(node)) ? node : null)),
      ),
    );
  }
}

async function startNode(at: number, mayCutOff: boolean): Promise<ClusterNode> {
  // The server itself tries other ports for its clients, and not for the bus.
  return onFreePorts(async () => tryNode(at, mayCutOff));
}

async function tryNode(at: number, mayCutOff: boolean): Promise<ClusterNode> {
  const busPort = await findFreePort();
  const address = mayCutOff ? `127.0.0.${FIRST_ADDRESS + at}` : '127.0.0.1';
  const bus = mayCutOff ? await BusProxy.open(busPort) : null;
  const announced =
    bus === null ? [] : ['--cluster-announce-bus-port', `${bus.port}`, '--bind-source-addr', address];
  // A protected server lets in a replica from 127.0.0.1 only, and from no other address of this machine.
  const args = ['--cluster-port', `${busPort}`, '--protected-mode', 'no', ...announced, ...SETTINGS];
  const server = await RedisServer.start(...args).catch((error: unknown) => {
    bus?.close();
    throw error;
  });
  const redis = new Redis(server.port, '127.0.0.1', {
    maxRetriesPerRequest: 0,
    commandTimeout: NODE_TIMEOUT_MS,
    retryStrategy: () => LOOK_MS,
    enableReadyCheck: false,
  });
  redis.on('error', () => undefined);
  return { server, redis, bus, address, args };
}

async function replicaPorts({ redis }: ClusterNode): Promise<number[]> {
  const lines = (await redis.cluster('REPLICAS', await redis.cluster('MYID'))) as string[];
  return lines.map((line) => Number(/:(\d+)@/.exec(line)?.[1]));
}

/** The first answer that is not null. @throws Error when none comes in time */
async function answerOf<T>(what: string, ask: () => Promise<T | null>): Promise<T> {
  const untilMs = performance.now() + AGREE_WITHIN_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (performance.now() > untilMs) throw new Error(`There is no ${what} within ${AGREE_WITHIN_MS} ms.`);
    await pause(LOOK_MS);
  }
}

async function isOk({ redis }: ClusterNode): Promise<boolean> {
  const info = await redis.cluster('INFO').catch(() => '');
  return fact(info, 'cluster_state') === 'ok' && fact(info, 'cluster_slots_fail') === '0';
}

function fact(info: unknown, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(String(info))?.[1];
}
