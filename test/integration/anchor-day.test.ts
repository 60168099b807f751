import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openSubscriptionWorld, ruleOf, type SubscriptionWorld } from '../support/subscription-world.js';

let world: SubscriptionWorld;
beforeAll(async () => {
  world = await openSubscriptionWorld(inject('databaseUrl'), inject('redisUrl'));
});
afterAll(async () => world?.close());

const START_MS = Date.UTC(2030, 0, 31, 10);
const dayOf = (instant: Date | null | undefined): string | undefined => instant?.toISOString().slice(0, 10);

/** Gives the plan, with its unit or another, one after the other, and answers the ends. */
async function endsOf(terms: object, gifts: readonly { unit?: 'DAY' | 'MONTH'; atMs?: number }[]) {
  const [userId, plan] = [await world.addUser(), await world.addPlan(terms)];
  const ends: (string | undefined)[] = [];
  for (const gift of gifts) {
    await world.give({ userId, planId: plan.id, atMs: START_MS, ...gift });
    ends.push(dayOf((await world.held(userId))[0]?.expiresAt));
  }
  return { userId, plan, ends };
}

describe('S0.12 extensions of a plan that keeps the anchor day', () => {
  it('end on it: 31 January + 1 MONTH + 1 MONTH is 31 March', async () => {
    const { ends } = await endsOf({ keepsAnchorDay: true }, [{}, {}, {}]);
    expect(ends).toEqual(['2030-02-28', '2030-03-31', '2030-04-30']);
  });

  it('end on the last clamped day where the plan does not keep it', async () => {
    const { ends } = await endsOf({}, [{}, {}, {}]);
    expect(ends).toEqual(['2030-02-28', '2030-03-28', '2030-04-28']);
  });

  it('are in one batch as they are one by one', async () => {
    const [userId, plan] = [await world.addUser(), await world.addPlan({ keepsAnchorDay: true })];
    const gift = { userId, planId: plan.id, atMs: START_MS };
    await world.give(gift, gift, gift);
    expect(dayOf((await world.held(userId))[0]?.expiresAt)).toBe('2030-04-30');
  });

  it('move the day along where days are given, and take a new one where the subscription had ended', async () => {
    const later = Date.UTC(2031, 4, 5);
    const { ends } = await endsOf({ keepsAnchorDay: true }, [
      {},
      { unit: 'DAY' },
      {},
      { atMs: later },
      { atMs: later },
    ]);
    expect(ends).toEqual(['2030-02-28', '2030-03-01', '2030-04-01', '2031-06-05', '2031-07-05']);
  });

  it('are previewed with the end that they get', async () => {
    const { userId, plan } = await endsOf({ keepsAnchorDay: true }, [{}]);
    const rules = [ruleOf({ userId, planId: plan.id }), ruleOf({ userId, planId: plan.id })];
    const forecast = await world.handler.forecast(world.tenantId, userId, rules, START_MS);
    expect(forecast.map(({ expiresAt }) => dayOf(expiresAt))).toEqual(['2030-03-31', '2030-04-30']);
  });
});
