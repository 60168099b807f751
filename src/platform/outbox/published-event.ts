import type { Id } from '../ids.js';

/** A committed event, as subscribers and consumers get it. */
export interface PublishedEvent {
  readonly tenantId: string;
  /** Without gaps per tenant, in the order of the commits; with the tenant, what tells the event from all others. */
  readonly seq: number;
  readonly type: string;
  /** Whom it is for; null for events of the tenant. */
  readonly userId: Id | null;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
}
