import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { DomainError } from '../../src/platform/errors.js';
import { OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import { SubscriptionNode } from '../../src/subscriptions/nodes/subscription-node.entity.js';
import { Tenant } from '../../src/tenancy/tenant.entity.js';
import { openSubscriptionWorld, type SubscriptionWorld } from '../support/subscription-world.js';

let world: SubscriptionWorld;
let userId: string;
beforeAll(async () => {
  world = await openSubscriptionWorld(inject('databaseUrl'), inject('redisUrl'));
});
beforeEach(async () => {
  userId = await world.addUser();
});
afterAll(async () => world?.close());

let made = 0;
const addNode = async (input: object = {}): Promise<string> => {
  made += 1;
  return (
    await world.nodes.create(world.tenantId, { name: `N${made}`, address: `n${made}.example`, ...input })
  ).id;
};
const nodesOf = async (user = userId): Promise<Record<string, string[]>> => {
  const opened = await world.openedNodes.mine(world.tenantId, user);
  return Object.fromEntries(
    opened.map(({ subscriptionId, nodes }) => [subscriptionId, nodes.map(({ id }) => id)]),
  );
};
const refusalOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
  } catch (error) {
    if (error instanceof DomainError) return String(error.code);
    throw error;
  }
  throw new Error('Nothing was refused.');
};
const ago = (ms: number) => new Date(world.clock.nowMs() - ms);

describe('S1.14 subscriptionNodes', () => {
  it('are the enabled nodes of the plan and of its tags, each once', async () => {
    const [named, tagged, both] = [
      await addNode(),
      await addNode({ tags: ['t1'] }),
      await addNode({ tags: ['t1', 't2'] }),
    ];
    await addNode({ tags: ['other'] });
    await addNode({ tags: ['t1'], enabled: false });
    const plan = await world.addPlan({ nodeIds: [named, both], nodeTags: ['t1', 't2'] });
    const id = await world.addSubscription(userId, plan.id);
    expect(await nodesOf()).toEqual({ [id]: [named, tagged, both] });
  });

  it('are all enabled nodes where the plan says neither, and none where what it names is gone', async () => {
    const node = await addNode();
    const [all, gone] = [await world.addPlan(), await world.addPlan({ nodeIds: [node] })];
    const [withAll, withGone] = [
      await world.addSubscription(userId, all.id),
      await world.addSubscription(userId, gone.id),
    ];
    const { items } = await world.nodes.list(world.tenantId, { enabled: true }, { offset: 0, size: 500 });
    const enabled = items.map(({ id }) => id).toReversed();
    expect(await nodesOf()).toEqual({ [withAll]: enabled, [withGone]: [node] });
    await world.nodes.delete(world.tenantId, node);
    expect(await nodesOf()).toEqual({ [withAll]: enabled.filter((id) => id !== node), [withGone]: [] });
  });

  it('are none of an expired, used-up, stopped or pending subscription, also before the sweep', async () => {
    const node = await addNode();
    const plan = await world.addPlan({ nodeIds: [node] });
    const ids = [
      await world.addSubscription(userId, plan.id, { expiresAt: ago(0) }),
      await world.addSubscription(userId, plan.id, { trafficBytes: 1, trafficUsedBytes: 1 }),
      await world.addSubscription(userId, plan.id, { status: 'STOPPED' }),
      await world.addSubscription(userId, plan.id, { status: 'PENDING' }),
    ];
    // Of the same plan, whose nodes are read for this one.
    const running = await world.addSubscription(userId, plan.id);
    expect(await nodesOf()).toEqual({ ...Object.fromEntries(ids.map((id) => [id, []])), [running]: [node] });
  });

  it('follow a change of the node and of the plan with the next call, while subscriptions are cached', async () => {
    const [first, second] = [await addNode({ tags: ['x1'] }), await addNode({ tags: ['x2'] })];
    const plan = await world.addPlan({ nodeTags: ['x1'] });
    const id = await world.addSubscription(userId, plan.id);
    expect(await nodesOf()).toEqual({ [id]: [first] });
    await world.nodes.update(world.tenantId, second, { tags: ['x1'] });
    expect(await nodesOf()).toEqual({ [id]: [first, second] });
    await world.nodes.update(world.tenantId, first, { enabled: false });
    expect(await nodesOf()).toEqual({ [id]: [second] });
    await world.plans.update(world.tenantId, plan.id, { nodeTags: ['x2'] });
    expect(await nodesOf()).toEqual({ [id]: [] });
  });
});

describe('nodes', () => {
  it('are changed from the version that was read, and each change leaves one event', async () => {
    const id = await addNode({ tags: ['b', 'a', 'b'] });
    const node = await world.nodes.find(world.tenantId, id);
    expect(node).toMatchObject({ tags: ['a', 'b'], enabled: true, version: 1 });
    const change = { enabled: false, expectedVersion: 1 };
    const both = await Promise.allSettled([
      world.nodes.update(world.tenantId, id, change),
      world.nodes.update(world.tenantId, id, change),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await refusalOf(world.nodes.update(world.tenantId, id, change))).toBe('VERSION_CONFLICT');
    await world.nodes.delete(world.tenantId, id);
    expect(await refusalOf(world.nodes.delete(world.tenantId, id))).toBe('NODE_NOT_FOUND');
    const events = await world.em().find(OutboxEvent, { type: 'nodes_changed' });
    expect(events.filter(({ payload }) => payload['nodeId'] === id)).toHaveLength(3);
  });

  it('of another tenant, or by what is no id, are not found', async () => {
    const id = await addNode();
    expect(await world.nodes.find('T_other', id)).toBeNull();
    expect(await world.nodes.find(world.tenantId, "1' or 1")).toBeNull();
    for (const [tenantId, nodeId] of [
      ['T_other', id],
      [world.tenantId, 'x'],
    ] as const) {
      expect(await refusalOf(world.nodes.update(tenantId, nodeId, {}))).toBe('NODE_NOT_FOUND');
      expect(await refusalOf(world.nodes.delete(tenantId, nodeId))).toBe('NODE_NOT_FOUND');
      expect(await refusalOf(world.nodes.createToken(tenantId, nodeId))).toBe('NODE_NOT_FOUND');
    }
    expect(await world.nodes.find(world.tenantId, id)).toMatchObject({ version: 1 });
  });

  it.each([
    [{ name: ' ' }, 'NODE_NAME_MALFORMED'],
    [{ name: 'a'.repeat(65) }, 'NODE_NAME_MALFORMED'],
    [{ address: 'with space' }, 'NODE_ADDRESS_MALFORMED'],
    [{ address: '' }, 'NODE_ADDRESS_MALFORMED'],
    [{ tags: [''] }, 'NODE_TAGS_MALFORMED'],
    [{ tags: Array.from({ length: 101 }, (_, n) => `t${n}`) }, 'NODE_TAGS_MALFORMED'],
    [{ enabled: 'yes' }, 'INPUT_NOT_ALLOWED'],
    [{ tenantId: 'T_other' }, 'INPUT_NOT_ALLOWED'],
  ])('refuses %j by %s and writes nothing', async (input, code) => {
    const before = await world.nodes.list(world.tenantId, {}, { offset: 0, size: 1 });
    expect(await refusalOf(addNode(input))).toBe(code);
    expect((await world.nodes.list(world.tenantId, {}, { offset: 0, size: 1 })).total).toBe(before.total);
  });

  it('are a thousand at most, also when the last are made at once', async () => {
    const other = await openSubscriptionWorld(inject('databaseUrl'), inject('redisUrl'));
    try {
      const createdAt = new Date(world.clock.nowMs());
      const { tenantId } = other;
      const tenant = { id: tenantId, name: 'T', codeQuota: 0, codesIssued: 0, version: 1, createdAt };
      await other.em().insert(Tenant, { ...tenant, type: 'CHANNEL', status: 'ACTIVE' });
      const row = { tenantId, name: 'N', address: 'n', tags: [], enabled: true, version: 1, createdAt };
      const rows = Array.from({ length: 995 }, () => ({ ...row, id: other.ids.next() }));
      await other.em().insertMany(SubscriptionNode, rows);
      const input = { name: 'Last', address: 'last.example' };
      const results = await Promise.allSettled(
        Array.from({ length: 10 }, async () => other.nodes.create(other.tenantId, input)),
      );
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
      expect(await refusalOf(other.nodes.create(other.tenantId, input))).toBe('NODE_LIMIT_REACHED');
      expect((await other.nodes.list(other.tenantId, {}, { offset: 0, size: 1 })).total).toBe(1000);
    } finally {
      await other.close();
    }
  });
});
