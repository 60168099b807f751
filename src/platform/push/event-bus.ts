import type { Logger } from '../observability/log.js';
import { asRedisFailure, type Redis } from '../redis/redis.js';
import { within } from '../scheduling/timeout.js';

const SUBSCRIBE_TIMEOUT_MS = 2000;

/** Who listens to a channel. */
export interface ChannelListener {
  /** A message of the channel; they come in the order in which they were published. */
  deliver(message: unknown): void;
  /**
   * The connection to Redis was lost, so messages may be missed until `live` resolves. Told before any message that
   * comes after the hole is delivered.
   */
  onGap(live: Promise<void>): void;
  /** The bus is closed; nothing comes any more. */
  end(): void;
}

export interface Publication {
  readonly channel: string;
  /** JSON: dates and decimals arrive as text. */
  readonly event: unknown;
}

interface Channel {
  readonly listeners: Set<ChannelListener>;
  readonly live: Promise<unknown>;
}

/**
 * Events across processes, by Redis' publish and subscribe: whoever listens gets them, nobody keeps them. A process
 * subscribes to a channel once, however many listen to it here, and leaves it with the last of them.
 */
export class EventBus {
  private readonly channels = new Map<string, Channel>();
  private away: PromiseWithResolvers<void> | null = null;
  private lossCount = 0;

  /** @param listener A connection of its own (`connectRedisListener`): it takes up its channels again by itself. */
  constructor(
    private readonly redis: Redis,
    private readonly listener: Redis,
    private readonly log: Logger,
  ) {
    listener.on('message', (channel: string, text: string) => this.deliver(channel, text));
    listener.on('close', () => this.lost());
    listener.on('ready', () => void this.regained());
  }

  async publish(channel: string, event: unknown): Promise<void> {
    await this.publishAll([{ channel, event }]);
  }

  /**
   * In order, in one round trip.
   * @throws StoreUnavailableError when Redis did not take all of them; some may have gone out.
   */
  async publishAll(publications: readonly Publication[]): Promise<void> {
    if (publications.length === 0) return;
    const pipeline = this.redis.pipeline();
    for (const { channel, event } of publications) pipeline.publish(channel, JSON.stringify(event));
    const replies = await pipeline.exec().catch((error: unknown) => {
      throw asRedisFailure(error);
    });
    const failed = replies?.find(([error]) => error !== null);
    if (failed !== undefined) throw asRedisFailure(failed[0]);
  }

  /**
   * Live when it resolves: what is published from then on arrives. Read what lies before only afterwards, or events
   * between the two are missed.
   * @returns how to leave the channel
   * @throws StoreUnavailableError when Redis does not answer.
   */
  async listen(channel: string, listener: ChannelListener): Promise<() => void> {
    const leave = (): void => this.leave(channel, listener);
    try {
      await within(SUBSCRIBE_TIMEOUT_MS, 'redis', this.join(channel, listener));
    } catch (error) {
      leave();
      throw asRedisFailure(error);
    }
    return leave;
  }

  /**
   * Answers true when everything has been delivered here that was published before the call; false when the
   * connection was lost meanwhile, and nothing is known.
   */
  async hasCaughtUp(): Promise<boolean> {
    return this.away === null && (await this.answers());
  }

  /** Ends everybody who listens in this process; the connections stay the caller's. */
  close(): void {
    for (const { listeners } of this.channels.values()) {
      for (const listener of listeners) listener.end();
    }
  }

  /** How many channels this process listens to. */
  get channelCount(): number {
    return this.channels.size;
  }

  private async join(name: string, listener: ChannelListener): Promise<void> {
    let channel = this.channels.get(name);
    if (channel === undefined) {
      channel = { listeners: new Set(), live: this.listener.subscribe(name) };
      this.channels.set(name, channel);
    }
    channel.listeners.add(listener);
    await channel.live;
    await this.away?.promise;
  }

  /** The connection keeps the order of its commands, so leaving and coming back at once ends as subscribed. */
  private leave(name: string, listener: ChannelListener): void {
    const channel = this.channels.get(name);
    if (channel?.listeners.delete(listener) !== true || channel.listeners.size > 0) return;
    this.channels.delete(name);
    this.listener
      .unsubscribe(name)
      .catch((error: unknown) => this.log.debug({ err: error }, 'could not leave a channel'));
  }

  private deliver(name: string, text: string): void {
    const channel = this.channels.get(name);
    if (channel === undefined) return;
    try {
      const message: unknown = JSON.parse(text);
      for (const listener of channel.listeners) listener.deliver(message);
    } catch (error) {
      // Thrown on, it would end the process: nothing stands between here and the connection's own event.
      this.log.error({ err: error, channel: name }, 'an event could not be delivered');
    }
  }

  private lost(): void {
    this.lossCount += 1;
    if (this.away !== null) return;
    this.away = Promise.withResolvers();
    for (const { listeners } of this.channels.values()) {
      for (const listener of listeners) listener.onGap(this.away.promise);
    }
  }

  /** The connection has taken up its channels by itself; they are live once Redis answers what was asked behind them. */
  private async regained(): Promise<void> {
    const { away } = this;
    if (away === null || !(await this.answers())) return;
    this.away = null;
    away.resolve();
  }

  /** False when the connection was lost instead; it comes back by itself, and then is asked anew. */
  private async answers(): Promise<boolean> {
    const losses = this.lossCount;
    try {
      await this.listener.ping();
      return losses === this.lossCount;
    } catch (error) {
      this.log.debug({ err: error }, 'the listening connection does not answer');
      return false;
    }
  }
}
