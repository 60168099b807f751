import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { TIME_UNITS } from '../../src/rewards/time-unit.js';
import { Plan } from '../../src/subscriptions/plan.entity.js';
import type { CreatePlan } from '../../src/subscriptions/plan-input.js';
import { openSubscriptionWorld, type SubscriptionWorld } from '../support/subscription-world.js';

let world: SubscriptionWorld;
beforeAll(async () => {
  world = await openSubscriptionWorld(inject('databaseUrl'), inject('redisUrl'));
});
afterAll(async () => world?.close());

const good: CreatePlan = { name: 'Basic', unitPrice: '9.90', unitTime: 'MONTH' };
const countPlans = async () => world.em().count(Plan);

describe('createPlan', () => {
  it('stores what was set, and presets for the rest', async () => {
    const full = {
      ...good,
      name: '  Größe 大 🚀 ',
      unitPrice: '0.0000000001',
      currency: 'GOLD',
      unitTime: 'NO_LIMIT',
      trafficBytes: 2 ** 53 - 1,
      deviceLimit: 3,
      quotaPerUser: 1,
      inventory: 0,
      nodeIds: ['7', '9', '7'],
      nodeTags: ['eu'],
      sell: false,
      show: false,
      resetCycle: 'YEAR',
      keepsAnchorDay: true,
    };
    const { id } = await world.plans.create(world.tenantId, full);
    const stored = await world.em().findOneOrFail(Plan, { id });
    expect(stored).toMatchObject({
      ...full,
      name: 'Größe 大 🚀',
      nodeIds: ['7', '9'],
      tenantId: world.tenantId,
    });

    const least = await world.plans.create(world.tenantId, { ...good, inventory: null, sell: null });
    expect(await world.em().findOneOrFail(Plan, { id: least.id })).toMatchObject({
      currency: null,
      trafficBytes: 0,
      deviceLimit: 0,
      quotaPerUser: 0,
      inventory: -1,
      nodeIds: [],
      nodeTags: [],
      sell: true,
      show: true,
      resetCycle: 'NONE',
      keepsAnchorDay: false,
    });
  });

  it.each(TIME_UNITS)('S0.2 takes the unit %s', async (unitTime) => {
    expect((await world.plans.create(world.tenantId, { ...good, unitTime })).unitTime).toBe(unitTime);
  });

  it.each([
    [
      'PLAN_NAME_MALFORMED',
      'name',
      ['', '   ', 'x'.repeat(65), 'a\u0000b', 'a\u200bb', 'a\nb', '\ud800', null, 7],
    ],
    [
      'PLAN_PRICE_MALFORMED',
      'unitPrice',
      [
        '',
        '-1',
        '+1',
        '1e3',
        'NaN',
        'Infinity',
        '1,5',
        '1.',
        '.5',
        ' 1',
        '0x10',
        '١',
        '1'.repeat(21),
        '0.12345678901',
        9.9,
        null,
      ],
    ],
    ['PLAN_CURRENCY_MALFORMED', 'currency', ['', 'U', 'usd', '1USD', 'US D', 'TOOLONGAS', 7]],
    [
      'PLAN_UNIT_UNKNOWN',
      'unitTime',
      ['WEEK', 'month', 'Month', '', 'NoLimit', 'NO_LIMIT ', null, 3, '__proto__'],
    ],
    [
      'PLAN_TRAFFIC_OUT_OF_RANGE',
      'trafficBytes',
      [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '5'],
    ],
    ['PLAN_DEVICE_LIMIT_OUT_OF_RANGE', 'deviceLimit', [-1, 1.5, 1_000_001, Number.NaN]],
    ['PLAN_QUOTA_OUT_OF_RANGE', 'quotaPerUser', [-1, 1.5, 1_000_001, '1']],
    ['PLAN_INVENTORY_OUT_OF_RANGE', 'inventory', [-2, 0.1, 2 ** 31, Number.NaN]],
    [
      'PLAN_NODES_MALFORMED',
      'nodeIds',
      [['x'], ['0'], ['-1'], [7], '7', Array.from({ length: 1001 }, () => '7')],
    ],
    [
      'PLAN_NODES_MALFORMED',
      'nodeTags',
      [[''], ['x'.repeat(33)], [null], Array.from({ length: 101 }, () => 'a')],
    ],
    ['PLAN_RESET_CYCLE_UNKNOWN', 'resetCycle', ['DAY', '', 'year', 1]],
  ] as const)('answers %s for a wrong %s and writes nothing', async (code, field, values) => {
    const before = await countPlans();
    for (const value of values) {
      const input = { ...good, [field]: value } as CreatePlan;
      await expect(world.plans.create(world.tenantId, input)).rejects.toMatchObject({
        name: 'DomainError',
        code,
        details: { field: expect.arrayContaining(['input', field]) as string[] },
      });
    }
    expect(await countPlans()).toBe(before);
  });

  it('answers the first refusal in the order of precedence', async () => {
    const wrong = { name: '', unitPrice: 'x', unitTime: 'x', inventory: -5 };
    await expect(world.plans.create(world.tenantId, wrong)).rejects.toMatchObject({
      code: 'PLAN_NAME_MALFORMED',
    });
    await expect(world.plans.create(world.tenantId, { ...wrong, name: 'a' })).rejects.toMatchObject({
      code: 'PLAN_PRICE_MALFORMED',
    });
  });
});

describe('finding a plan', () => {
  it('answers many callers with one query, and sees a change after a second', async () => {
    const { id } = await world.addPlan();
    const queries = vi.spyOn(world.orm.em.getConnection(), 'execute');
    const found = await Promise.all(Array.from({ length: 20 }, () => world.plans.find(world.tenantId, id)));
    expect(queries).toHaveBeenCalledTimes(1);
    queries.mockRestore();
    expect(new Set(found).size).toBe(1);
    await world.em().nativeUpdate(Plan, { id }, { sell: false });
    expect((await world.plans.find(world.tenantId, id))?.sell).toBe(true);
    world.clock.offsetMs += 1001;
    expect((await world.plans.find(world.tenantId, id))?.sell).toBe(false);
  });

  it('is found by a reader that waits while it is changed, and read again afterwards', async () => {
    const { id } = await world.addPlan();
    const waiting = world.plans.find(world.tenantId, id);
    world.plans.invalidate(world.tenantId, id);
    expect(await waiting).toMatchObject({ id, sell: true });
    await world.em().nativeUpdate(Plan, { id }, { sell: false });
    expect(await world.plans.find(world.tenantId, id)).toMatchObject({ sell: false });
  });

  it("S4.1 finds no other tenant's plan, and nothing for what cannot be an id", async () => {
    const { id } = await world.addPlan();
    expect(await world.plans.find('T_other', id)).toBeNull();
    expect(await world.plans.asTarget('T_other', id)).toBeNull();
    expect(await world.plans.asTarget(world.tenantId, id)).toEqual({ unit: 'MONTH' });
    for (const wrong of [
      '',
      '0',
      '-1',
      '1e3',
      `${id} `,
      "1' or '1'='1",
      '9'.repeat(30),
      '18446744073709551615',
    ]) {
      expect(await world.plans.find(world.tenantId, wrong)).toBeNull();
      expect(await world.plans.asTarget(world.tenantId, wrong)).toBeNull();
    }
  });

  it('lists newest first with the exact total, and hides from users what is not shown', async () => {
    const own = await openSubscriptionWorld(inject('databaseUrl'), inject('redisUrl'));
    const made = [];
    for (let n = 0; n < 5; n += 1) made.push(await own.addPlan({ name: `P${n}`, show: n !== 4 }));
    const page = await own.plans.list(own.tenantId, { offset: 2, size: 2 }, false);
    expect([page.total, page.items.map(({ name }) => name)]).toEqual([5, ['P2', 'P1']]);
    const shown = await own.plans.list(own.tenantId, { offset: 0, size: 10 }, true);
    expect([shown.total, shown.items.map(({ name }) => name)]).toEqual([4, ['P3', 'P2', 'P1', 'P0']]);
    const hidden = made[4]?.id ?? '';
    expect(await own.plans.findFor(own.tenantId, hidden, true)).toBeNull();
    expect(await own.plans.findFor(own.tenantId, hidden, false)).toMatchObject({ name: 'P4' });
    await own.close();
  });
});
