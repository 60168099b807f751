import { Code } from '../../src/codes/code.entity.js';
import { Order } from '../../src/orders/orders/order.entity.js';
import { OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import { Redemption } from '../../src/redemption/history/redemption.entity.js';
import { RewardGrant } from '../../src/redemption/history/reward-grant.entity.js';
import { Subscription } from '../../src/subscriptions/subscription.entity.js';
import { emOf, type World } from './world.js';

/** How many rows of each kind a tenant has; what "nothing was written" is compared by. */
export interface Facts {
  readonly committed: number;
  readonly tombstones: number;
  readonly orders: number;
  readonly grants: number;
  readonly subscriptions: number;
  readonly events: number;
  readonly used: number;
}

export async function factsOf(world: World, tenantId: string): Promise<Facts> {
  const em = emOf(world, tenantId);
  const codes = await em.find(Code, {}, { fields: ['used'], disableIdentityMap: true });
  return {
    committed: await em.count(Redemption, { status: 'COMMITTED' }),
    tombstones: await em.count(Redemption, { status: 'ABORTED' }),
    orders: await em.count(Order, {}),
    grants: await em.count(RewardGrant, {}),
    subscriptions: await em.count(Subscription, {}),
    events: await em.count(OutboxEvent, { type: 'redemption_settled' }),
    used: codes.reduce((sum, code) => sum + code.used, 0),
  };
}

/** What `n` redemptions of one subscription reward each leave behind, and nothing else. */
export function factsAfter(n: number, subscriptions: number = n): Facts {
  return { committed: n, tombstones: 0, orders: n, grants: n, subscriptions, events: n, used: n };
}

/** Open claims of a tenant in Redis; none at rest. */
export async function openClaims({ stores }: World, tenantId: string): Promise<number> {
  return stores.redis.zcard(`{${tenantId}}:open`);
}
