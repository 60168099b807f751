import 'reflect-metadata';
import { campaigns } from '../campaigns/campaigns.module.js';
import { codes } from '../codes/codes.module.js';
import { identity } from '../identity/identity.module.js';
import { limits } from '../limits/limits.module.js';
import { orders } from '../orders/orders.module.js';
import { ProcessNode } from '../platform/database/process-node.entity.js';
import type { RowCheck } from '../platform/database/row-check.js';
import { ConsumerCursor, OutboxCounter, OutboxEvent } from '../platform/outbox/outbox.entity.js';
import { reconciliation } from '../reconciliation/reconciliation.module.js';
import { redemption } from '../redemption/redemption.module.js';
import { rewards } from '../rewards/rewards.module.js';
import { subscriptions } from '../subscriptions/subscriptions.module.js';
import { tenancy } from '../tenancy/tenancy.module.js';
import { ModuleList } from './module.js';
import type { Platform } from './platform.js';

/** Every feature of the product, each after those that it uses. */
export const modules = ModuleList.on<Platform & { readonly rowChecks: readonly RowCheck[] }>()
  .add(rewards)
  .add(tenancy)
  .add(identity)
  .add(limits)
  .add(subscriptions)
  .add(orders)
  .add(campaigns)
  .add(codes)
  .add(redemption)
  .add(reconciliation);

/** Every entity there is; named one by one, so that no folder scan decides what the schema is. */
export const entities = [ProcessNode, OutboxCounter, OutboxEvent, ConsumerCursor, ...modules.entities];

/** All modules of one process, composed. */
export type App = ReturnType<typeof modules.compose>;
/** What the modules offer each other, the command line and the tests. */
export type Services = App['services'];
