import type { Em } from '../platform/database/orm.js';
import type { Id } from '../platform/ids.js';
import { extendable, type SubscriptionState } from './subscription-grant.js';
import { loadStates } from './subscription-rows.js';
import { Subscription } from './subscription.entity.js';

/** The subscription whose traffic is used: the one that an extension would take, while its time runs; locked. */
export async function resettable(
  em: Em,
  tenantId: string,
  { userId, planId }: { readonly userId: Id; readonly planId: Id },
  nowMs: number,
): Promise<SubscriptionState | null> {
  const current = extendable(await loadStates(em, tenantId, [userId], [planId], 'for update'), nowMs);
  if (current === undefined) return null;
  return current.expiresAtMs === null || current.expiresAtMs > nowMs ? current : null;
}

/** Brings one back to life that had used its traffic up. */
export async function resetTraffic(em: Em, id: Id, now: Date): Promise<void> {
  await em.nativeUpdate(Subscription, { id }, { status: 'ACTIVE', trafficUsedBytes: 0, updatedAt: now });
}
