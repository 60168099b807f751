import type { PublishedEvent } from '../../platform/outbox/published-event.js';
import { REDEMPTION_REVERSED } from '../../rewards/rewards-given.js';
import type { ReturnedUsesRedis } from '../claim/returned-uses.redis.js';
import type { SettlementNeeds } from '../commit/compose-settlement.js';
import type { RedemptionReader } from '../history/redemption-reader.js';
import { ReversalResolver } from './reversal.resolver.js';
import { ReversalService } from './reversal.service.js';
import { ReversalTransaction } from './reversal-transaction.js';

interface Needs extends SettlementNeeds {
  readonly returnedUses: ReturnedUsesRedis;
  readonly redemptionReader: RedemptionReader;
}

/** What takes redemptions back. */
export function composeReversal(its: Needs) {
  const transaction = new ReversalTransaction(its.orders, its.handlers, its.outbox);
  const reversals = new ReversalService({ ...its, transaction });
  const handle = async (tenantId: string, events: readonly PublishedEvent[]): Promise<void> =>
    reversals.follow(tenantId, events);
  return {
    services: { reversals },
    resolver: new ReversalResolver(reversals, its.redemptionReader),
    consumers: [{ name: 'returned_uses', types: [REDEMPTION_REVERSED], handle, isBeforePush: true }],
  };
}
