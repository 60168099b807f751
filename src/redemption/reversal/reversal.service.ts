import type { Transactions } from '../../platform/database/transaction.js';
import type { Clock } from '../../platform/clock.js';
import type { Logger } from '../../platform/observability/log.js';
import type { PublishedEvent } from '../../platform/outbox/published-event.js';
import type { RewardHandlers } from '../../rewards/reward-handler.js';
import type { ReturnedUsesRedis } from '../claim/returned-uses.redis.js';
import type { RedemptionRecord } from '../history/redemption-record.js';
import { returnedUseOf } from './reversal-event.js';
import { reversalWish } from './reversal-input.js';
import type { ReversalTransaction, Reversed } from './reversal-transaction.js';

const NAME_LENGTH_MAX = 64;

interface Collaborators {
  readonly transactions: Transactions;
  readonly transaction: ReversalTransaction;
  readonly returnedUses: ReturnedUsesRedis;
  readonly handlers: RewardHandlers;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Takes back what redemptions gave: each once, however long ago it was, and for a reason. */
export class ReversalService {
  constructor(private readonly its: Collaborators) {}

  /**
   * @param by who of the staff does it
   * @throws DomainError one of {@link REVERSE_REDEMPTION_REFUSALS}; nothing is changed then
   * @throws StoreUnavailableError where the database does not answer
   */
  async reverse(tenantId: string, by: string, input: unknown): Promise<RedemptionRecord> {
    const wish = reversalWish(input);
    const at = new Date(this.its.clock.nowMs());
    const reversal = { ...wish, tenantId, by: by.slice(0, NAME_LENGTH_MAX), at };
    const reversed = await this.its.transactions.runForCaller(tenantId, async (em, readsBack) =>
      this.its.transaction.run(em, reversal, readsBack),
    );
    await this.refresh(tenantId, reversed);
    return reversed.record;
  }

  /** Repeats what {@link refresh} does, where its process died or Redis did not answer. */
  async follow(tenantId: string, events: readonly PublishedEvent[]): Promise<void> {
    for (const event of events) {
      const returned = returnedUseOf(event);
      if (returned !== null) await this.its.returnedUses.forget(tenantId, returned);
    }
  }

  /** Redis and the caches follow the commit, and cannot undo it. */
  private async refresh(tenantId: string, { record, returned }: Reversed): Promise<void> {
    try {
      if (returned !== null) await this.its.returnedUses.forget(tenantId, returned);
    } catch (error) {
      this.its.log.warn({ err: error, tenantId }, 'a returned use is not forgotten in Redis at once');
    }
    for (const handler of this.its.handlers.values()) {
      const taken = record.rewards.filter(({ type }) => type === handler.type);
      const given = taken.map(({ sourceId }) => ({ userId: record.userId, sourceId }));
      if (given.length > 0) await handler.afterCommit(tenantId, given);
    }
  }
}
