import { z } from 'zod';
import { Channels, type Heard } from '../redis/channels.js';
import type { Redis } from '../redis/redis.js';

const NAME = 'events:doorbell';

const rings = z.array(z.tuple([z.string(), z.number()]));

type Hear = (tenantId: string, seq: number) => void;

/**
 * Tells all processes that a tenant has events up to a number. It carries no event and keeps nothing: a doorbell that
 * is lost is made good by looks at the counters, within a second.
 */
export class Doorbell {
  private readonly channels: Channels;
  /** By channel: what is to be told, while a message is on its way. */
  private readonly due = new Map<string, Map<string, number>>();
  private readonly hearers: Hear[] = [];

  /** @param listener A connection of its own (`connectRedisListener`): it takes up its channels again by itself. */
  constructor(
    redis: Redis,
    private readonly listener: Redis,
  ) {
    this.channels = new Channels(redis, NAME);
  }

  onRing(hear: Hear): void {
    this.hearers.push(hear);
  }

  /** Hears other processes, too, from then on. */
  async listen(): Promise<void> {
    const heard: Heard = (message) => {
      for (const [tenantId, seq] of ringsIn(message)) this.tell(tenantId, seq);
    };
    await this.channels.listen(this.listener, heard);
  }

  /** Call it after the commit. Never throws, never waits; what comes while one is on its way goes out as one. */
  ring(tenantId: string, seq: number): void {
    this.tell(tenantId, seq);
    const channel = this.channels.of(tenantId);
    const waiting = this.due.get(channel);
    if (waiting !== undefined) {
      waiting.set(tenantId, Math.max(seq, waiting.get(tenantId) ?? 0));
      return;
    }
    const due = new Map([[tenantId, seq]]);
    this.due.set(channel, due);
    void this.send(channel, due);
  }

  private tell(tenantId: string, seq: number): void {
    for (const hear of this.hearers) hear(tenantId, seq);
  }

  private async send(channel: string, due: Map<string, number>): Promise<void> {
    while (due.size > 0) {
      const message = JSON.stringify([...due]);
      due.clear();
      await this.channels.publish(channel, message).catch(() => undefined);
    }
    this.due.delete(channel);
  }
}

/** None in what another program sends on the channel: an error would end the process, and polls make up for a loss. */
function ringsIn(message: string): z.output<typeof rings> {
  try {
    return rings.parse(JSON.parse(message));
  } catch {
    return [];
  }
}
