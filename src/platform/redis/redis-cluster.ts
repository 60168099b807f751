import calculateSlot from 'cluster-key-slot';
import { Cluster, type ClusterOptions, type Redis as RedisNode } from 'ioredis';
import { StoreUnavailableError } from '../errors.js';
import { resultWithin } from '../scheduling/timeout.js';
import { clusterAddress } from './redis-address.js';

const SLOTS = 16_384;
/** How often the masters are asked who serves what; a failover is known by then, whatever the lost master says. */
const LOOK_EVERY_MS = 1000;
/** The same for connections that wait for jobs: a worker has many, each look takes a connection, and jobs can wait. */
const LOOK_SELDOM_MS = 5000;
const RECONNECT_MS = 100;

type NodeOptions = Omit<NonNullable<ClusterOptions['redisOptions']>, 'replyMapping'>;
type Sent = Parameters<Cluster['sendCommand']>;

/**
 * A Redis Cluster, used like a single Redis: commands with a key go to its master. Replicas only stand by, because what
 * they hold may be old.
 */
export class RedisCluster extends Cluster {
  /** By `host:port`. */
  private readonly known = new Map<string, RedisNode>();

  /** @param commandTimeoutMs null for commands that wait, and for listeners */
  constructor(
    url: string,
    /** A node is given up with its connection, and comes back with the next look at who serves what. */
    node: NodeOptions,
    private readonly commandTimeoutMs: number | null,
    more: Pick<ClusterOptions, 'shardedSubscribers'> = {},
  ) {
    const { nodes, options } = clusterAddress(url);
    const isWaiter = commandTimeoutMs === null && more.shardedSubscribers !== true;
    super([...nodes], {
      ...more,
      redisOptions: { ...node, ...options },
      slotsRefreshInterval: isWaiter ? LOOK_SELDOM_MS : LOOK_EVERY_MS,
      slotsRefreshTimeout: LOOK_EVERY_MS,
      clusterRetryStrategy: () => RECONNECT_MS,
      retryDelayOnFailover: RECONNECT_MS,
      retryDelayOnClusterDown: RECONNECT_MS,
      retryDelayOnTryAgain: RECONNECT_MS,
      // Certificates are for names: one that was resolved before it is connected to could not be verified.
      dnsLookup: (host, found) => found(null, host),
    });
    // Without a listener an outage would end the process; each command fails by itself and says so.
    this.on('error', () => undefined);
    this.on('+node', (one: RedisNode) => this.known.set(nameOf(one), one));
    this.on('-node', (one: RedisNode) => {
      // By then another connection may stand in its place.
      if (this.known.get(nameOf(one)) === one) this.known.delete(nameOf(one));
    });
  }

  /** The timeout of a node begins when the command reaches it; one that finds no node would wait for ever. */
  override sendCommand(...[command, ...rest]: Sent): unknown {
    if (this.commandTimeoutMs !== null) command.setTimeout(this.commandTimeoutMs);
    return super.sendCommand(command, ...rest);
  }

  /** The connection to the master of a key, as far as it is known; null before the first look at the cluster. */
  nodeOf(key: string): RedisNode | null {
    return this.known.get(this.slots[calculateSlot(key)]?.[0] ?? '') ?? null;
  }

  /** The same once the cluster was looked at. @throws StoreUnavailableError */
  async masterOf(key: string): Promise<RedisNode> {
    await this.whenReady();
    const node = this.nodeOf(key);
    if (node === null) throw new StoreUnavailableError('redis', { cause: 'No master is known.' });
    return node;
  }

  /**
   * A connection to each master.
   * @throws StoreUnavailableError unless all slots have one: work on a part would pass for work on the whole
   */
  async masters(): Promise<readonly RedisNode[]> {
    await this.whenReady();
    const names = new Set(Array.from({ length: SLOTS }, (_, slot) => this.slots[slot]?.[0]));
    return [...names].map((name) => {
      const node = this.known.get(name ?? '');
      if (node === undefined) throw new StoreUnavailableError('redis', { cause: `No master at ${name}.` });
      return node;
    });
  }

  private async whenReady(): Promise<void> {
    if (this.status === 'ready') return;
    const { promise, resolve } = Promise.withResolvers<true>();
    const onReady = (): void => resolve(true);
    this.once('ready', onReady);
    const isReady = await resultWithin(this.commandTimeoutMs ?? LOOK_EVERY_MS, promise);
    // In a long outage the listeners of all who have waited in vain would pile up.
    this.off('ready', onReady);
    if (isReady !== true) throw new StoreUnavailableError('redis');
  }
}

function nameOf({ options: { host, port } }: RedisNode): string {
  return `${host}:${port}`;
}
