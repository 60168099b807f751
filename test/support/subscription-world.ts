import { randomBytes, randomInt } from 'node:crypto';
import { NodeService } from '../../src/subscriptions/nodes/node.service.js';
import { NodeUsersService } from '../../src/subscriptions/nodes/node-users.service.js';
import { PlanUsersCache } from '../../src/subscriptions/nodes/plan-users.redis.js';
import { SubscriptionNodesService } from '../../src/subscriptions/nodes/subscription-nodes.service.js';
import type { Plan } from '../../src/subscriptions/plan.entity.js';
import { PlanService } from '../../src/subscriptions/plan.service.js';
import { runningInvalidated } from '../../src/subscriptions/subscription-events.js';
import { SubscriptionCache } from '../../src/subscriptions/subscription-cache.redis.js';
import { SubscriptionRewardHandler } from '../../src/subscriptions/subscription-reward.handler.js';
import { Subscription } from '../../src/subscriptions/subscription.entity.js';
import { SubscriptionService } from '../../src/subscriptions/subscription.service.js';
import { SubscriptionJobs } from '../../src/subscriptions/subscriptions.jobs.js';
import { entities } from '../../src/app/modules.js';
import { TokenService } from '../../src/identity/token.service.js';
import { UserChangeService } from '../../src/identity/users/user-change.service.js';
import { User } from '../../src/identity/users/user.entity.js';
import { OrderService } from '../../src/orders/orders/order.service.js';
import { systemClock } from '../../src/platform/clock.js';
import { IdGenerator, sortedIds, type Id } from '../../src/platform/ids.js';
import { createLog } from '../../src/platform/observability/log.js';
import { connectOrm, tenantEm, type Em } from '../../src/platform/database/orm.js';
import { Transactions } from '../../src/platform/database/transaction.js';
import { Outbox } from '../../src/platform/outbox/outbox.js';
import { connectRedis } from '../../src/platform/redis/redis.js';
import { RewardGrant } from '../../src/redemption/history/reward-grant.entity.js';
import type { RewardOutcome, RewardRefusal } from '../../src/rewards/reward-handler.js';
import { readRewardRule, type RewardRule } from '../../src/rewards/reward-rule.js';

/** One redemption of a test: who gets what, and when it was claimed. */
export interface Gift {
  readonly userId: Id;
  readonly planId: Id;
  readonly unit?: RewardRule['unit'];
  readonly quantity?: number;
  readonly atMs?: number;
  readonly redemptionId?: Id;
}

export type Given = RewardOutcome | { readonly refused: RewardRefusal };

export function ruleOf({ planId, unit = null, quantity = 1 }: Gift): RewardRule {
  return readRewardRule({ type: 'SUBSCRIPTION', id: planId, unit, quantity, value: '0', condition: null });
}

/** One tenant on real stores, with everything that subscriptions are made of. */
export async function openSubscriptionWorld(databaseUrl: string, redisUrl: string) {
  const orm = await connectOrm({ databaseUrl, poolSize: 12, entities });
  const redis = connectRedis(redisUrl, 1000);
  const tenantId = `T_${randomBytes(6).toString('hex')}`;
  const clock = { offsetMs: 0, nowMs: () => systemClock.nowMs() + clock.offsetMs };
  const nodeNo = randomInt(4096);
  const ids = new IdGenerator(systemClock, () => ({ nodeNo, validUntilMs: Number.MAX_SAFE_INTEGER }));
  const log = createLog({ level: 'silent' });
  const transactions = new Transactions(orm);
  const outbox = new Outbox(clock, () => undefined);
  const cache = new SubscriptionCache(redis);
  const plans = new PlanService({ orm, readOrm: orm, ids, clock, transactions, outbox });
  const orders = new OrderService(orm, 5000);
  const handler = new SubscriptionRewardHandler({ orm, ids, plans, cache, log });
  const service = new SubscriptionService(orm, cache, clock);
  const tokens = new TokenService(['j'.repeat(40)], clock);
  const access = { changed: () => undefined };
  const nodes = new NodeService({ orm, readOrm: orm, ids, clock, transactions, outbox, tokens, access });
  const openedNodes = new SubscriptionNodesService(orm, service);
  const planUsers = new PlanUsersCache(redis);
  const nodeUsers = new NodeUsersService({ readOrm: orm, cache: planUsers, clock });
  const ports: ConstructorParameters<typeof UserChangeService>[2] = {
    userStatusChanged: async (inside, tenant, userId) =>
      outbox.append(inside, tenant, await runningInvalidated(inside, userId)),
  };
  const userChanges = new UserChangeService(transactions, access, ports, clock);
  const jobs = new SubscriptionJobs({ transactions, cache, outbox, clock, log });
  const em = () => tenantEm(orm, tenantId);

  /** What the redemption's transaction does, as far as it concerns subscriptions. */
  async function giveInside(inside: Em, gifts: readonly Gift[]): Promise<Given[]> {
    const userIds = sortedIds(gifts.map(({ userId }) => userId));
    await inside.execute('select id from user where tenant_id = ? and id in (?) order by id for update', [
      tenantId,
      userIds,
    ]);
    const applications = gifts.map((gift) => {
      const redemptionId = gift.redemptionId ?? ids.next();
      const { userId, atMs: claimedAtMs = clock.nowMs() } = gift;
      return { redemptionId, orderId: redemptionId, rewardNo: 0, userId, rule: ruleOf(gift), claimedAtMs };
    });
    const paid = await orders.usersWithPaidOrder(inside, tenantId, userIds);
    const session = await handler.begin(inside, tenantId, applications);
    const given = applications.map((application) => {
      const refused = session.refusal(application);
      return { application, outcome: refused === null ? session.apply(application) : { refused } };
    });
    await session.flush();
    const accepted = given.flatMap(({ application, outcome }) =>
      'refused' in outcome ? [] : [{ application, outcome }],
    );
    if (accepted.length === 0) return given.map(({ outcome }) => outcome);
    const now = new Date(clock.nowMs());
    await orders.insertRedemptionOrders(
      inside,
      tenantId,
      accepted.map(({ application: { orderId: id, userId }, outcome }) => {
        return {
          id,
          userId,
          isNew: !paid.has(userId),
          subscriptionId: outcome.targetId,
          createdAt: now,
          finishedAt: now,
        };
      }),
    );
    await inside.insertMany(
      RewardGrant,
      accepted.map(({ application: { redemptionId, rewardNo, rule }, outcome: { targetId } }) => {
        const proof = {
          tenantId,
          redemptionId,
          rewardNo,
          sourceId: rule.id,
          targetId,
          value: '0',
          grantedAt: now,
        };
        return { ...proof, type: 'SUBSCRIPTION' as const, status: 'GRANTED' as const };
      }),
    );
    return given.map(({ outcome }) => outcome);
  }

  async function give(...gifts: Gift[]): Promise<Given[]> {
    const given = await transactions.run(tenantId, (inside) => giveInside(inside, gifts));
    await handler.afterCommit(
      tenantId,
      gifts.map(({ userId, planId: sourceId }) => ({ userId, sourceId })),
    );
    return given;
  }

  async function addUser(): Promise<Id> {
    const id = ids.next();
    const createdAt = new Date(clock.nowMs());
    await em().insert(User, { tenantId, id, externalId: `u${id}`, status: 'ACTIVE', tags: [], createdAt });
    return id;
  }

  async function addPlan(terms: Partial<Plan> = {}): Promise<Plan> {
    const { tenantId: _tenant, id: _id, createdAt: _createdAt, ...given } = terms;
    return plans.create(tenantId, { name: 'Basic', unitPrice: '9.90', unitTime: 'MONTH', ...given });
  }

  async function addSubscription(userId: Id, planId: Id, state: Partial<Subscription> = {}): Promise<Id> {
    const { dueAt: _dueAt, ...given } = state;
    const id = ids.next();
    const now = new Date(clock.nowMs());
    await em().insert(Subscription, {
      tenantId,
      id,
      userId,
      planId,
      orderId: ids.next(),
      status: 'ACTIVE',
      token: randomBytes(24).toString('base64url'),
      uuid: '6f1c0f5e-0000-4000-8000-000000000000',
      startedAt: now,
      expiresAt: new Date(now.getTime() + 86_400_000),
      trafficBytes: 0,
      trafficUsedBytes: 0,
      updatedAt: now,
      ...given,
    });
    return id;
  }

  const held = async (userId: Id) =>
    em().find(Subscription, { userId }, { orderBy: { id: 'asc' }, disableIdentityMap: true });

  const close = async () => {
    await orm.close();
    redis.disconnect();
  };

  return {
    orm,
    redis,
    tenantId,
    clock,
    ids,
    transactions,
    outbox,
    cache,
    plans,
    orders,
    handler,
    service,
    nodes,
    openedNodes,
    planUsers,
    nodeUsers,
    userChanges,
    jobs,
    log,
    em,
    give,
    giveInside,
    addUser,
    addPlan,
    addSubscription,
    held,
    close,
  };
}

export type SubscriptionWorld = Awaited<ReturnType<typeof openSubscriptionWorld>>;
