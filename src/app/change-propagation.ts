import type { Services } from './compose.js';
import { SUBSCRIPTION_INVALIDATED } from '../subscriptions/subscription-reward.session.js';

/**
 * Carries what was committed to where copies of it are kept. Whoever committed it has told Redis already; this is
 * for the times when it could not, and it comes before subscribers are told.
 */
export function propagateChanges({ relay, copies, subscriptions, lateConfirms }: Services): void {
  relay.onEvent('code_changed', async (events) => {
    for (const { tenantId, payload } of events) {
      await copies.evict(tenantId, String(payload['digest']), Number(payload['version']));
    }
  });
  for (const type of ['codes_generated', 'campaign_changed', 'batch_changed']) {
    relay.onEvent(type, async (events) => {
      for (const tenantId of new Set(events.map((event) => event.tenantId))) await copies.raise(tenantId);
    });
  }
  relay.onEvent('redemption_settled', async (events) => {
    for (const [tenantId, own] of Map.groupBy(events, (event) => event.tenantId)) {
      const settled = own.map(({ payload }) => ({
        redemptionId: String(payload['redemptionId']),
        digest: String(payload['digest']),
      }));
      await lateConfirms.watch(tenantId, settled);
    }
  });
  relay.onEvent(SUBSCRIPTION_INVALIDATED, async (events) => {
    for (const [tenantId, own] of Map.groupBy(events, (event) => event.tenantId)) {
      const userIds = new Set(own.map((event) => event.userId).filter((userId) => userId !== null));
      await subscriptions.dropCached(tenantId, [...userIds]);
    }
  });
}
