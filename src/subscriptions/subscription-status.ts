import type { SubscriptionStatus } from './subscription.entity.js';

/** The sweep comes a little late; what has ended is shown as ended at once. */
export function statusAt(
  view: {
    readonly status: SubscriptionStatus;
    readonly expiresAt?: Date | null | undefined;
    readonly trafficBytes: number;
    readonly trafficUsedBytes: number;
  },
  nowMs: number,
): SubscriptionStatus {
  if (view.status !== 'ACTIVE') return view.status;
  if (view.expiresAt && view.expiresAt.getTime() <= nowMs) return 'EXPIRED';
  return view.trafficBytes > 0 && view.trafficUsedBytes >= view.trafficBytes ? 'FINISHED' : 'ACTIVE';
}
