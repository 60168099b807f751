import type { Redis } from '../redis/redis.js';

/** Pub/sub knows no numbers of databases, so the channel bears that of the installation's. */
const channelOf = ({ options }: Redis): string => `events:doorbell:${options.db ?? 0}`;

type Hear = (tenantId: string, seq: number) => void;

/**
 * Tells all processes that a tenant has events up to a number. It carries no event and keeps nothing: a doorbell that
 * is lost is made good by looks at the counters, within a second.
 */
export class Doorbell {
  private readonly due = new Map<string, number>();
  private isSending = false;
  private readonly hearers: Hear[] = [];

  /** @param listener A connection of its own (`connectRedisListener`): it takes up its channel again by itself. */
  constructor(
    private readonly redis: Redis,
    private readonly listener: Redis,
  ) {}

  onRing(hear: Hear): void {
    this.hearers.push(hear);
  }

  /** Hears other processes, too, from then on. */
  async listen(): Promise<void> {
    const own = channelOf(this.listener);
    this.listener.on('message', (channel, message) => {
      if (channel !== own) return;
      for (const [tenantId, seq] of JSON.parse(message) as [string, number][]) this.tell(tenantId, seq);
    });
    await this.listener.subscribe(own);
  }

  /** Call it after the commit. Never throws, never waits; what comes while one is on its way goes out as one. */
  ring(tenantId: string, seq: number): void {
    this.tell(tenantId, seq);
    this.due.set(tenantId, Math.max(seq, this.due.get(tenantId) ?? 0));
    if (!this.isSending) void this.send();
  }

  private tell(tenantId: string, seq: number): void {
    for (const hear of this.hearers) hear(tenantId, seq);
  }

  private async send(): Promise<void> {
    this.isSending = true;
    while (this.due.size > 0) {
      const message = JSON.stringify([...this.due]);
      this.due.clear();
      await this.redis.publish(channelOf(this.redis), message).catch(() => undefined);
    }
    this.isSending = false;
  }
}
