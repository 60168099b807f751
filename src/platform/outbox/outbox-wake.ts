import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from '../redis/redis.js';
import type { OutboxRelay } from './outbox-relay.js';

const CHANNEL = 'outbox:wake';
/** Wake-ups of so long are told together. */
const COLLECT_MS = 5;

/**
 * Tells the active relay, in whichever process it is, that a commit has left events. Only saves time: a message that
 * is lost is made good by the relay's own look once a second.
 */
export class OutboxWake {
  private readonly tenantIds = new Set<string>();

  constructor(
    private readonly redis: Redis,
    private readonly listener: Redis,
    private readonly relay: OutboxRelay,
  ) {}

  /** Call it after the commit. Never throws, never waits. */
  notify(tenantId: string): void {
    if (this.relay.wake(tenantId)) return;
    this.tenantIds.add(tenantId);
    if (this.tenantIds.size === 1) void this.tell();
  }

  /** Passes on what other processes tell. */
  async listen(): Promise<void> {
    this.listener.on('message', (channel, message) => {
      if (channel !== CHANNEL) return;
      for (const tenantId of message.split(',')) this.relay.wake(tenantId);
    });
    await this.listener.subscribe(CHANNEL);
  }

  private async tell(): Promise<void> {
    await pause(COLLECT_MS);
    const message = [...this.tenantIds].join(',');
    this.tenantIds.clear();
    await this.redis.publish(CHANNEL, message).catch(() => undefined);
  }
}
