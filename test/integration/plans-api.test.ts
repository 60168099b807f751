import 'reflect-metadata';
import { graphql, type GraphQLSchema } from 'graphql';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { buildRedeemkitSchema } from '../../src/app/schema.js';
import type { RequestContext } from '../../src/graphql/context.js';
import type { Actor, StaffRole } from '../../src/graphql/actor.js';
import { OrderDetails } from '../../src/orders/orders/order-details.js';
import { OrderResolver } from '../../src/orders/orders/order.resolver.js';
import { PlanResolver } from '../../src/subscriptions/plan.resolver.js';
import { EMPTY_PAGE } from '../../src/platform/database/find-page.js';
import { SubscriptionResolver } from '../../src/subscriptions/subscription.resolver.js';
import { openSubscriptionWorld, type SubscriptionWorld } from '../support/subscription-world.js';

let world: SubscriptionWorld;
let schema: GraphQLSchema;
beforeAll(async () => {
  world = await openSubscriptionWorld(inject('databaseUrl'), inject('redisUrl'));
  schema = buildRedeemkitSchema([
    new PlanResolver(world.plans),
    new SubscriptionResolver(world.service, world.plans),
    new OrderResolver(world.orders, new OrderDetails(world.orm), async () => null, {
      readOrm: world.orm,
      users: { find: async () => null },
      redeemed: async () => EMPTY_PAGE,
    }),
  ]);
});
afterAll(async () => world?.close());

const staff = (role: StaffRole): Actor => ({ kind: 'STAFF', tenantId: world.tenantId, staffId: '1', role });
const user = (userId: string): Actor => ({ kind: 'USER', tenantId: world.tenantId, userId });

async function run(actor: Actor | null, source: string, variableValues: Record<string, unknown> = {}) {
  const rest = {
    requestId: 'r',
    productCode: null,
    deviceId: null,
    idempotencyKey: null,
    ip: '127.0.0.1',
    log: world.log,
  };
  // What is pushed is not asked for here.
  const contextValue = { actor, ...rest } as unknown as RequestContext;
  const { data, errors } = await graphql({ schema, source, variableValues, contextValue });
  // Null prototypes of the answer would not be equal to literals.
  const answered = JSON.parse(JSON.stringify(data ?? null)) as Record<string, unknown> | null;
  return { data: answered, codes: errors?.map((error) => error.extensions['code'] ?? error.message) };
}

const CREATE = `mutation ($input: CreatePlanInput!) {
  createPlan(input: $input) {
    plan { id name unitPrice unitTime trafficBytes inventory sell show resetCycle createdAt }
    errors { code message field }
  }
}`;
const input = { name: 'Gold', unitPrice: '12.5', unitTime: 'QUARTER', trafficBytes: 2 ** 40 };

describe('createPlan', () => {
  it('answers the plan to OPERATOR and OWNER', async () => {
    for (const role of ['OPERATOR', 'OWNER'] as const) {
      const { data, codes } = await run(staff(role), CREATE, { input });
      expect(codes).toBeUndefined();
      expect(data?.['createPlan']).toMatchObject({
        plan: { ...input, inventory: -1, sell: true, resetCycle: 'NONE' },
        errors: [],
      });
    }
  });

  it('answers a refusal as data', async () => {
    const { data } = await run(staff('OWNER'), CREATE, { input: { ...input, unitPrice: '-1' } });
    expect(data?.['createPlan']).toMatchObject({
      plan: null,
      errors: [{ code: 'PLAN_PRICE_MALFORMED', field: ['input', 'unitPrice'] }],
    });
  });

  it('S0.2 does not run with a unit that the enum does not have', async () => {
    const { data, codes } = await run(staff('OWNER'), CREATE, { input: { ...input, unitTime: 'WEEK' } });
    expect(data).toBeNull();
    expect(codes).toEqual([expect.stringMatching(/TimeUnit/)]);
  });

  it('is forbidden to AUDITOR, to users and without a token', async () => {
    const before = await world.plans.list(world.tenantId, { offset: 0, size: 1 }, false);
    expect((await run(staff('AUDITOR'), CREATE, { input })).codes).toEqual(['FORBIDDEN']);
    expect((await run(user('7'), CREATE, { input })).codes).toEqual(['FORBIDDEN']);
    expect((await run(null, CREATE, { input })).codes).toEqual(['UNAUTHENTICATED']);
    expect((await world.plans.list(world.tenantId, { offset: 0, size: 1 }, false)).total).toBe(before.total);
  });
});

describe('what a user reads', () => {
  it('S0.13 shows the subscription with its plan, and the order of the redemption', async () => {
    const [userId, plan] = [await world.addUser(), await world.addPlan({ name: 'Silver', show: false })];
    const redemptionId = world.ids.next();
    await world.give({ userId, planId: plan.id, redemptionId });
    const [row] = await world.held(userId);
    const mine = await run(
      user(userId),
      '{ mySubscriptions { id planId plan { name } status token uuid expiresAt trafficBytes } }',
    );
    expect(mine.data?.['mySubscriptions']).toEqual([
      {
        id: row?.id,
        planId: plan.id,
        plan: { name: 'Silver' },
        status: 'ACTIVE',
        token: row?.token,
        uuid: row?.uuid,
        expiresAt: row?.expiresAt?.toISOString(),
        trafficBytes: 0,
      },
    ]);
    const query = `{ order(orderNo: "${redemptionId}") { orderNo type status amount isNew subscriptionId }
                     orders { total items { orderNo } } plan(id: "${plan.id}") { id } }`;
    const own = await run(user(userId), query);
    expect(own.codes).toBeUndefined();
    expect(own.data).toMatchObject({
      order: {
        orderNo: redemptionId,
        type: 'REDEMPTION',
        status: 'FINISHED',
        isNew: true,
        subscriptionId: row?.id,
      },
      orders: { total: 1, items: [{ orderNo: redemptionId }] },
      plan: null,
    });
    expect((await run(user(await world.addUser()), query)).data).toEqual({
      order: null,
      orders: { total: 0, items: [] },
      plan: null,
    });
    expect((await run(staff('AUDITOR'), query)).data).toMatchObject({
      order: { orderNo: redemptionId },
      plan: { id: plan.id },
    });
  });

  it('asks for a sign-in, and for a user where it is about own things', async () => {
    for (const query of [
      '{ mySubscriptions { id } }',
      '{ orders { total } }',
      '{ plans { total } }',
      '{ order(orderNo: "1") { id } }',
    ]) {
      expect((await run(null, query)).codes).toEqual(['UNAUTHENTICATED']);
    }
    expect((await run(staff('OWNER'), '{ mySubscriptions { id } }')).codes).toEqual(['FORBIDDEN']);
  });
});
