import 'reflect-metadata';
import { audit } from '../audit/audit.module.js';
import { campaigns } from '../campaigns/campaigns.module.js';
import type { CodeMetrics } from '../codes/code.metrics.js';
import { codes } from '../codes/codes.module.js';
import { webConsole } from '../console/console.module.js';
import { devices } from '../identity/devices/devices.module.js';
import { identity } from '../identity/identity.module.js';
import { partners } from '../identity/partners/partners.module.js';
import { limits } from '../limits/limits.module.js';
import type { MoneyMetrics } from '../money/money.metrics.js';
import { money } from '../money/money.module.js';
import { operations } from '../operations/operations.module.js';
import { orders } from '../orders/orders.module.js';
import { ProcessNode } from '../platform/database/process-node.entity.js';
import type { RowCheck } from '../platform/database/row-check.js';
import { Lease } from '../platform/leases/lease.entity.js';
import { ConsumerCursor, OutboxCounter, OutboxEvent } from '../platform/outbox/outbox.entity.js';
import { reconciliation } from '../reconciliation/reconciliation.module.js';
import type { RedemptionMetrics } from '../redemption/redemption.metrics.js';
import { redemption } from '../redemption/redemption.module.js';
import { rewards } from '../rewards/rewards.module.js';
import { subscriptions } from '../subscriptions/subscriptions.module.js';
import type { DirectoryMetrics } from '../tenancy/directory/directory.metrics.js';
import { tenancy } from '../tenancy/tenancy.module.js';
import type { WebhookMetrics } from '../webhooks/webhook.metrics.js';
import { webhooks } from '../webhooks/webhooks.module.js';
import { ModuleList } from './module.js';
import type { Platform } from './platform.js';

type OwnMetrics = DirectoryMetrics & MoneyMetrics & CodeMetrics & RedemptionMetrics & WebhookMetrics;

/** The platform, and what the modules of a list bring for all of them. */
interface Base extends Omit<Platform, 'metrics'> {
  readonly metrics: Platform['metrics'] & OwnMetrics;
  readonly rowChecks: readonly RowCheck[];
}

/** Every feature of the product, each after those that it uses. */
export const modules = ModuleList.on<Base>()
  .add(rewards)
  .add(tenancy)
  .add(identity)
  .add(partners)
  .add(limits)
  .add(subscriptions)
  .add(money)
  .add(orders)
  .add(devices)
  .add(webConsole)
  .add(campaigns)
  .add(codes)
  .add(redemption)
  .add(webhooks)
  .add(audit)
  .add(reconciliation)
  .add(operations);

export function baseOf(list: Pick<typeof modules, 'checks' | 'metrics'>, platform: Platform): Base {
  const own = list.metrics(platform.metrics.registry) as OwnMetrics;
  return { ...platform, rowChecks: list.checks, metrics: { ...platform.metrics, ...own } };
}

/** Every entity there is; named one by one, so that no folder scan decides what the schema is. */
export const entities = [ProcessNode, Lease, OutboxCounter, OutboxEvent, ConsumerCursor, ...modules.entities];

/** All modules of one process, composed. */
export type App = ReturnType<typeof modules.compose>;
/** What the modules offer each other, the command line and the tests. */
export type Services = App['services'];
