import type { Logger } from '../log.js';
import { asRedisFailure, type Redis } from '../redis/redis.js';
import { within } from '../timeout.js';
import { BoundedSubscription } from './bounded-subscription.js';

const WAITING_MAX = 1000;
const SUBSCRIBE_TIMEOUT_MS = 2000;

export interface EventBusOptions {
  /** How many events a subscriber may lag behind. */
  readonly waitingMax?: number;
}

export interface SubscribeOptions<Message, Event> {
  /** What of a message is for this subscriber, before it is queued; by default the message itself. */
  readonly select?: (message: Message) => readonly Event[];
  /** The connection to Redis was away for a while: events may be missing, read on from the cursor. */
  readonly onGap?: () => void;
}

export interface Publication {
  readonly channel: string;
  /** JSON: dates and decimals arrive as text. */
  readonly event: unknown;
}

interface Subscriber {
  deliver(message: unknown): void;
  end(): void;
  readonly onGap: (() => void) | undefined;
}

interface Channel {
  readonly subscribers: Set<Subscriber>;
  readonly live: Promise<unknown>;
}

/**
 * Events across processes, by Redis' publish and subscribe: whoever listens gets them, nobody keeps them. A process subscribes to a channel once, however many listen to it here,
 * and leaves it with the last of them.
 */
export class EventBus {
  private readonly channels = new Map<string, Channel>();
  private wasAway = false;

  /** @param listener A connection of its own (`connectRedisListener`): it takes up its channels again by itself. */
  constructor(
    private readonly redis: Redis,
    private readonly listener: Redis,
    private readonly log: Logger,
    private readonly options: EventBusOptions = {},
  ) {
    listener.on('message', (channel: string, text: string) => this.deliver(channel, text));
    listener.on('close', () => {
      this.wasAway = true;
    });
    listener.on('ready', () => this.tellGap());
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
   * between the two are missed. End it with `return()`; `for await` does so by itself.
   * @throws StoreUnavailableError when Redis does not answer.
   */
  async subscribe<Event, Message = Event>(
    channel: string,
    options: SubscribeOptions<Message, Event> = {},
  ): Promise<BoundedSubscription<Event>> {
    const select = options.select ?? ((message: Message) => [message as unknown as Event]);
    const subscription = new BoundedSubscription<Event>(this.options.waitingMax ?? WAITING_MAX, () =>
      this.leave(channel, subscriber),
    );
    const subscriber: Subscriber = {
      deliver: (message) => {
        for (const event of select(message as Message)) subscription.push(event);
      },
      end: () => subscription.end(),
      onGap: options.onGap,
    };
    try {
      await within(SUBSCRIBE_TIMEOUT_MS, 'redis', this.join(channel, subscriber));
    } catch (error) {
      subscription.end();
      throw asRedisFailure(error);
    }
    return subscription;
  }

  /** Ends every subscription of this process; the connections stay the caller's. */
  close(): void {
    for (const { subscribers } of this.channels.values()) {
      for (const subscriber of subscribers) subscriber.end();
    }
  }

  /** How many channels this process listens to. */
  get channelCount(): number {
    return this.channels.size;
  }

  private async join(name: string, subscriber: Subscriber): Promise<void> {
    let channel = this.channels.get(name);
    if (channel === undefined) {
      channel = { subscribers: new Set(), live: this.listener.subscribe(name) };
      this.channels.set(name, channel);
    }
    channel.subscribers.add(subscriber);
    await channel.live;
  }

  /** The connection keeps the order of its commands, so leaving and coming back at once ends as subscribed. */
  private leave(name: string, subscriber: Subscriber): void {
    const channel = this.channels.get(name);
    if (channel?.subscribers.delete(subscriber) !== true || channel.subscribers.size > 0) return;
    this.channels.delete(name);
    this.listener
      .unsubscribe(name)
      .catch((error: unknown) => this.log.debug({ err: error }, 'could not leave a channel'));
  }

  private deliver(name: string, text: string): void {
    const channel = this.channels.get(name);
    if (channel === undefined) return;
    const message: unknown = JSON.parse(text);
    for (const subscriber of channel.subscribers) subscriber.deliver(message);
  }

  private tellGap(): void {
    if (!this.wasAway) return;
    this.wasAway = false;
    for (const { subscribers } of this.channels.values()) {
      for (const { onGap } of subscribers) onGap?.();
    }
  }
}
