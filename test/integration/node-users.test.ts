import { beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import { connectRedis } from '../../src/platform/redis/redis.js';
import { NodeUsersService, type NodeUser } from '../../src/subscriptions/nodes/node-users.service.js';
import { PlanUsersCache } from '../../src/subscriptions/nodes/plan-users.redis.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { openSubscriptionWorld, type SubscriptionWorld } from '../support/subscription-world.js';
import { createScratchDatabase } from '../support/scratch-database.js';

let world: SubscriptionWorld;
let nodeId: string;
let planId: string;
openBeforeAll(async (closing) => {
  // The sweep is for all tenants, so that of another test must not come in between.
  const database = await closing(createScratchDatabase());
  world = await closing(openSubscriptionWorld(database.databaseUrl, inject('redisUrl')));
});
beforeEach(async () => {
  const node = await world.nodes.create(world.tenantId, { name: 'N', address: 'n.example' });
  nodeId = node.id;
  planId = (await world.addPlan({ nodeIds: [nodeId], deviceLimit: 3 })).id;
});

const plansKey = () => `{${world.tenantId}}:plan_users:${planId}`;
const part = async (after: string | null = null, service = world.nodeUsers) => {
  const answer = await service.list(world.tenantId, nodeId, after);
  if (answer === null) throw new Error('There is no such list.');
  return answer;
};
/** Whom the node lets in; without users of the plans of other tests, which open all nodes. */
async function letIn(service = world.nodeUsers): Promise<NodeUser[]> {
  const users: NodeUser[] = [];
  for (let after: string | null = null, isEnd = false; !isEnd;) {
    const answer = await part(after, service);
    users.push(...answer.users);
    after = answer.next;
    isEnd = after === null;
  }
  return users;
}
const idsOf = (users: readonly NodeUser[]): string[] => users.map(({ subscriptionId }) => subscriptionId);

describe('S0.16 the users of a node', () => {
  it('are the running subscriptions of the plans that open it, with all that the node needs', async () => {
    const [userId, hidden] = [await world.addUser(), await world.addPlan({ nodeIds: ['1'] })];
    const expiresAt = new Date(world.clock.nowMs() + 60_000);
    const id = await world.addSubscription(userId, planId, {
      expiresAt,
      trafficBytes: 9,
      trafficUsedBytes: 8,
    });
    await world.addSubscription(userId, planId, { expiresAt: new Date(world.clock.nowMs()) });
    await world.addSubscription(userId, planId, { status: 'STOPPED' });
    await world.addSubscription(userId, planId, { trafficBytes: 9, trafficUsedBytes: 9 });
    await world.addSubscription(userId, hidden.id);
    const { uuid } = (await world.held(userId))[0] ?? {};
    const user = { subscriptionId: id, planId, userId, uuid, expiresAt, deviceLimit: 3 };
    const expected = { ...user, trafficBytes: 9, trafficUsedBytes: 8 };
    expect(await letIn()).toEqual([expected]);
    expect(await world.nodeUsers.find(world.tenantId, nodeId, id)).toEqual(expected);
  });

  it('are those of now after an activation, an extension and a sweep, and are read once in between', async () => {
    const userId = await world.addUser();
    expect(await letIn()).toEqual([]);
    await world.give({ userId, planId });
    const [first] = await letIn();
    expect(first).toMatchObject({ userId, planId });
    await world.give({ userId, planId });
    const [second] = await letIn();
    expect(second?.expiresAt?.getTime()).toBeGreaterThan(first?.expiresAt?.getTime() ?? 0);
    const reads = vi.spyOn(world.planUsers, 'through');
    const loads: number[] = [];
    reads.mockImplementation(async (tenantId, plan, after, load) =>
      PlanUsersCache.prototype.through.call(world.planUsers, tenantId, plan, after, async () => {
        loads.push(1);
        return load();
      }),
    );
    expect(await letIn()).toEqual([second]);
    expect(loads).toEqual([]);
    reads.mockRestore();
    await world
      .em()
      .execute('update subscription set expires_at = now() where tenant_id = ? and user_id = ?', [
        world.tenantId,
        userId,
      ]);
    await world.jobs.sweepSubscriptions();
    expect(await letIn()).toEqual([]);
  });

  it('follow nodes and plans at once: switched off, tagged, no longer opened, deleted', async () => {
    const [userId, tagged] = [await world.addUser(), await world.addPlan({ nodeTags: [`tag-${nodeId}`] })];
    const [named, other] = [
      await world.addSubscription(userId, planId),
      await world.addSubscription(userId, tagged.id),
    ];
    expect(idsOf(await letIn())).toEqual([named]);
    await world.nodes.update(world.tenantId, nodeId, { tags: [`tag-${nodeId}`] });
    expect(idsOf(await letIn())).toEqual([named, other]);
    await world.plans.update(world.tenantId, planId, { nodeIds: ['1'] });
    expect(idsOf(await letIn())).toEqual([other]);
    expect(await world.nodeUsers.find(world.tenantId, nodeId, named)).toBeNull();
    await world.nodes.update(world.tenantId, nodeId, { enabled: false });
    expect(await part()).toEqual({ users: [], next: null });
    await world.nodes.delete(world.tenantId, nodeId);
    expect(await world.nodeUsers.list(world.tenantId, nodeId, null)).toBeNull();
  });

  it('are none of a disabled user, also while cached, and are pushed when the user is disabled and enabled', async () => {
    const [userId, other] = [await world.addUser(), await world.addUser()];
    const [mine, theirs] = [
      await world.addSubscription(userId, planId),
      await world.addSubscription(other, planId),
    ];
    await world.addSubscription(userId, planId, { status: 'STOPPED' });
    const pushed = async () => {
      const events = await world.em().find(OutboxEvent, { type: 'subscription_invalidated', userId });
      return events.map(({ payload }) => payload);
    };
    const update = async (change: object) => world.userChanges.update(world.tenantId, { userId, ...change });
    expect(idsOf(await letIn())).toEqual([mine, theirs]);
    await update({ status: 'DISABLED' });
    expect(idsOf(await letIn())).toEqual([theirs]);
    expect(await world.nodeUsers.find(world.tenantId, nodeId, mine)).toBeNull();
    const event = { subscriptionId: mine, planId };
    expect(await pushed()).toEqual([event]);
    // Nodes do not see tags.
    await update({ tags: ['a'], status: 'DISABLED' });
    expect(await pushed()).toEqual([event]);
    await update({ status: 'ACTIVE' });
    expect(idsOf(await letIn())).toEqual([mine, theirs]);
    expect(await world.nodeUsers.find(world.tenantId, nodeId, mine)).toMatchObject({ userId });
    expect(await pushed()).toEqual([event, event]);
  });

  it('come in parts, each once, over plans of many and of no subscriptions', async () => {
    const userId = await world.addUser();
    const second = (await world.addPlan({ nodeIds: [nodeId] })).id;
    await world.addPlan({ nodeIds: [nodeId] });
    for (let n = 0; n < 1210; n += 55)
      await Promise.all(
        Array.from({ length: 55 }, async (_, at) =>
          world.addSubscription(userId, n + at < 1203 ? planId : second, { expiresAt: null }),
        ),
      );
    const parts: number[] = [];
    const seen: string[] = [];
    for (let after: string | null = null, isEnd = false; !isEnd;) {
      const answer = await part(after);
      parts.push(answer.users.length);
      seen.push(...idsOf(answer.users));
      after = answer.next;
      isEnd = after === null;
    }
    expect(new Set(seen).size).toBe(1210);
    expect(seen).toHaveLength(1210);
    expect(Math.max(...parts)).toBeLessThan(1000);
    expect(idsOf(await letIn())).toEqual(seen);
  });

  it('are not there for another tenant, by what is no id, or behind what is no position', async () => {
    const id = await world.addSubscription(await world.addUser(), planId);
    expect(await world.nodeUsers.list('T_other', nodeId, null)).toBeNull();
    expect(await world.nodeUsers.list(world.tenantId, 'x', null)).toBeNull();
    for (const after of ['', '1', '1.x', '0.1', '1.1.1', "1.'"])
      expect(await world.nodeUsers.list(world.tenantId, nodeId, after)).toBeNull();
    expect(await world.nodeUsers.find('T_other', nodeId, id)).toBeNull();
    expect(await world.nodeUsers.find(world.tenantId, nodeId, "1' or 1")).toBeNull();
  });
});

describe('S0.16 the copies of node users', () => {
  it('keep out what was read before a drop, however late the reader comes', async () => {
    const through = async (load: () => Promise<string>) =>
      world.planUsers.through(world.tenantId, planId, '0', load);
    let state = 'old';
    const stale = await through(async () => {
      const read = state;
      state = 'new';
      await world.cache.drop(world.tenantId, [{ userId: '1', planId }]);
      // Another reader begins, and gets a token of its own.
      expect(await through(async () => state)).toBe('new');
      return read;
    });
    expect(stale).toBe('old');
    expect(await through(async () => 'unread')).toBe('new');
  });

  it('hold at most 64 pages of a plan, for five minutes', async () => {
    for (let page = 0; page < 80; page += 1)
      await world.planUsers.through(world.tenantId, planId, String(page), async () => '[]');
    // The token is one of the fields.
    expect(await world.redis.hlen(plansKey())).toBe(65);
    const ttlMs = await world.redis.pttl(plansKey());
    expect(ttlMs).toBeGreaterThan(290_000);
    expect(ttlMs).toBeLessThanOrEqual(300_000);
  });

  it('are never older than a redemption while readers and redemptions run side by side', async () => {
    const userId = await world.addUser();
    await Promise.all(
      Array.from({ length: 15 }, async () => {
        await letIn();
        await world.give({ userId, planId, unit: 'HOUR' });
        await Promise.all([letIn(), letIn()]);
      }),
    );
    const [stored] = await world.held(userId);
    expect((await letIn())[0]?.expiresAt).toEqual(stored?.expiresAt);
  });

  it('are not needed: without Redis, and in another shape, the rows are read', async () => {
    const id = await world.addSubscription(await world.addUser(), planId);
    const redis = connectRedis('redis://127.0.0.1:1', 200);
    const cache = new PlanUsersCache(redis);
    const service = new NodeUsersService({ readOrm: world.orm, cache, clock: world.clock });
    expect(idsOf(await letIn(service))).toEqual([id]);
    redis.disconnect();
    await world.redis.hset(plansKey(), { token: 't', '0': '[{"id":1}]' });
    expect(idsOf(await letIn())).toEqual([id]);
  });
});
