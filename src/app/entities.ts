import { Campaign } from '../campaigns/campaign.entity.js';
import { CampaignUsage } from '../campaigns/campaign-usage.entity.js';
import { CodeBatch } from '../codes/code-batch.entity.js';
import { CodeFormatRow } from '../codes/code-format.entity.js';
import { CodePepper } from '../codes/code-pepper.entity.js';
import { Code } from '../codes/code.entity.js';
import { User } from '../identity/users/user.entity.js';
import { Order } from '../orders/orders/order.entity.js';
import { ProcessNode } from '../platform/database/process-node.entity.js';
import { OutboxCounter, OutboxEvent } from '../platform/outbox/outbox.entity.js';
import { Redemption } from '../redemption/history/redemption.entity.js';
import { RewardGrant } from '../redemption/history/reward-grant.entity.js';
import { TombstoneMark } from '../redemption/recovery/tombstone-mark.entity.js';
import { Plan } from '../subscriptions/plan.entity.js';
import { Subscription } from '../subscriptions/subscription.entity.js';
import { ProductLine } from '../tenancy/product-line.entity.js';
import { Tenant } from '../tenancy/tenant.entity.js';

/** Every entity there is; named one by one, so that no folder scan decides what the schema is. */
export const entities = [
  Campaign,
  CampaignUsage,
  Code,
  CodeBatch,
  CodeFormatRow,
  CodePepper,
  Order,
  OutboxCounter,
  OutboxEvent,
  Plan,
  ProcessNode,
  ProductLine,
  Redemption,
  RewardGrant,
  Subscription,
  Tenant,
  TombstoneMark,
  User,
];
