import type { RareWarning } from '../observability/rare-warning.js';
import type { Id } from '../ids.js';
import type { PublishedEvent } from '../outbox/published-event.js';
import { CursorError } from './feed-cursor.js';
import type { FeedPage } from './feed-pages.js';
import type { FeedSubscription } from './feed-subscription.js';

/** The newest events of a tenant, read once and handed to all subscribers of this process who have the ones before. */
export class TenantTail {
  /** By user; null for those who follow the whole tenant. */
  private readonly live = new Map<Id | null, Set<FeedSubscription>>();
  private isReading = false;
  private headSeq: number;
  private lookedSeq = 0;

  /** @param readSeq All events up to here were handed on, or are read by each subscriber for itself. */
  constructor(
    private readSeq: number,
    private readonly read: (afterSeq: number, upToSeq: number) => Promise<FeedPage>,
    private readonly unread: RareWarning,
  ) {
    this.headSeq = readSeq;
  }

  /** How far a subscriber has to read before it can {@link join}. */
  get joinSeq(): number {
    return this.readSeq;
  }

  /**
   * The counter says so. It may count a commit that is not on disk yet and is lost if the server dies now, so the tail
   * goes by what the look before has shown.
   */
  look(seq: number): void {
    this.raise(this.lookedSeq);
    this.lookedSeq = seq;
  }

  /** The tenant has events up to here, and their commit was answered. */
  raise(seq: number): void {
    if (seq > this.headSeq) this.headSeq = seq;
    if (!this.isReading) void this.readOn();
  }

  /** From then on every new event is delivered to the subscriber. @returns false where it lacks earlier ones */
  join(subscription: FeedSubscription, receivedSeq: number): boolean {
    if (receivedSeq < this.readSeq) return false;
    const { userId } = subscription.filter;
    const others = this.live.get(userId);
    if (others === undefined) this.live.set(userId, new Set([subscription]));
    else others.add(subscription);
    return true;
  }

  leave(subscription: FeedSubscription): void {
    const { userId } = subscription.filter;
    const others = this.live.get(userId);
    if (others?.delete(subscription) === true && others.size === 0) this.live.delete(userId);
  }

  private async readOn(): Promise<void> {
    this.isReading = true;
    try {
      while (this.readSeq < this.headSeq) {
        const afterSeq = this.readSeq;
        const page =
          this.live.size === 0
            ? { events: [], upToSeq: this.headSeq }
            : await this.read(afterSeq, this.headSeq);
        this.readSeq = page.upToSeq;
        this.deliver(page, afterSeq);
      }
    } catch (error) {
      if (error instanceof CursorError) this.endAll(error);
      // The next look at the counters tries again.
      else this.unread.warn({ err: error });
    } finally {
      this.isReading = false;
    }
  }

  private deliver(page: FeedPage, afterSeq: number): void {
    const byUser: Map<Id | null, readonly PublishedEvent[]> = Map.groupBy(
      page.events,
      ({ userId }) => userId,
    );
    byUser.set(null, page.events);
    for (const [userId, events] of byUser) {
      for (const subscription of this.live.get(userId) ?? []) {
        if (!subscription.deliver(events, afterSeq, page.upToSeq)) this.leave(subscription);
      }
    }
  }

  /** Events were deleted before they were read here. */
  private endAll(error: CursorError): void {
    this.readSeq = this.headSeq;
    for (const subscriptions of this.live.values())
      for (const subscription of subscriptions) subscription.end(error);
  }
}
