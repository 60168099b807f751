import type { Id } from '../ids.js';

/** An event as subscribers and handlers get it. Delivery is at least once: drop duplicates by `id`, keep `seq` as the cursor. */
export interface PublishedEvent {
  readonly id: Id;
  readonly tenantId: string;
  /** Without gaps per tenant, in the order of publication. */
  readonly seq: number;
  readonly type: string;
  /** Whom it is for; null for events of the tenant. */
  readonly userId: Id | null;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
}
