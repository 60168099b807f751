import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Actor } from '../../src/graphql/actor.js';
import {
  OrderPoints,
  PointsAccount,
  PointsLedger,
  PointsLot,
} from '../../src/orders/points/points.entity.js';
import { PointsService } from '../../src/orders/points/points.service.js';
import type { IdGenerator } from '../../src/platform/ids.js';
import { isDuplicateKey } from '../../src/platform/database/sql-errors.js';
import { later, openShop, refusalOf, within, type Shop } from '../support/coupon-world.js';
import {
  balanced,
  balanceOf,
  grant,
  lotState,
  pointsLedgerOf,
  returnPoints,
  spend,
} from '../support/points-world.js';
import { ProductApi, refusalIn, staffOf } from '../support/product-api.js';
import { statementsOf } from '../support/statements.js';
import { emOf, openWorld, seedUser, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

const newId = (): string => world.services.ids.next();

describe('S2.8 points of an order', () => {
  it('are taken from many lots by one statement', async () => {
    const shop = await openShop(world);
    const lots = [await grant(shop, 5), await grant(shop, 5), await grant(shop, 5)];
    const sent = await statementsOf(world.stores.orm, async () => spend(shop, newId(), 14));
    const changed = sent.filter(({ query }) => /^\s*update\b[^]*\bpoints_lot\b/i.test(query));
    expect(changed).toHaveLength(1);
    const states = [];
    for (const lot of lots) states.push(await lotState(shop, lot));
    expect(states).toEqual([
      { remaining: 0, spent: 5 },
      { remaining: 0, spent: 5 },
      { remaining: 1, spent: 4 },
    ]);
    expect(await balanceOf(shop)).toEqual(balanced(1));
  });

  it('S2.8 are taken from the lots that expire first, and go back to them once', async () => {
    const shop = await openShop(world);
    const [never, last, first] = [
      await grant(shop, 50),
      await grant(shop, 50, { validDays: 20 }),
      await grant(shop, 50, { validDays: 10 }),
    ];
    const orderId = newId();
    await spend(shop, orderId, 110);
    expect(await lotState(shop, first)).toEqual({ remaining: 0, spent: 50 });
    expect(await lotState(shop, last)).toEqual({ remaining: 0, spent: 50 });
    expect(await lotState(shop, never)).toEqual({ remaining: 40, spent: 10 });
    expect(await balanceOf(shop)).toEqual(balanced(40));
    for (const [cause, points] of [
      ['TIMEOUT', 110],
      ['CANCELLED', 0],
      ['REFUNDED', 0],
    ] as const)
      expect(await returnPoints(shop, orderId, cause)).toBe(points);
    for (const id of [first, last, never])
      expect(await lotState(shop, id)).toEqual({ remaining: 50, spent: 0 });
    expect(await balanceOf(shop)).toEqual(balanced(150));
    expect(await pointsLedgerOf(shop)).toEqual([
      'GRANT 50',
      'GRANT 50',
      'GRANT 50',
      'SPEND -110',
      'GIVE_BACK 110',
    ]);
  });

  it('S2.8 that have expired meanwhile expire at once, and the ledger balances', async () => {
    const shop = await openShop(world);
    const [lot, kept] = [await grant(shop, 30, { validDays: 1 }), await grant(shop, 30)];
    const orderId = newId();
    await spend(shop, orderId, 40);
    expect(await returnPoints(shop, orderId, 'TIMEOUT', later(2))).toBe(40);
    expect(await lotState(shop, lot)).toEqual({ remaining: 0, spent: 0 });
    expect(await lotState(shop, kept)).toEqual({ remaining: 30, spent: 0 });
    expect(await balanceOf(shop)).toEqual(balanced(30));
    expect((await pointsLedgerOf(shop)).slice(2)).toEqual(['SPEND -40', 'GIVE_BACK 40', 'EXPIRE -30']);
    expect(await refusalOf(spend(shop, newId(), 31, later(2)))).toBe('INSUFFICIENT_POINTS');
  });

  it('S2.8 that go back to a lot which was swept before expire all the same', async () => {
    const shop = await openShop(world);
    const lot = await grant(shop, 30);
    const orderId = newId();
    await spend(shop, orderId, 10);
    await expireNow(shop, lot);
    await world.services.pointsExpiry.run();
    expect(await lotState(shop, lot)).toEqual({ remaining: 0, spent: 10 });
    expect(await balanceOf(shop)).toEqual(balanced(0));
    await returnPoints(shop, orderId);
    await world.services.pointsExpiry.run();
    expect(await lotState(shop, lot)).toEqual({ remaining: 0, spent: 0 });
    expect(await balanceOf(shop)).toEqual(balanced(0));
    expect(await pointsLedgerOf(shop)).toEqual([
      'GRANT 30',
      'SPEND -10',
      'EXPIRE -20',
      'GIVE_BACK 10',
      'EXPIRE -10',
    ]);
  });

  it('are refused where there are too few that have not expired, and nothing is written', async () => {
    const shop = await openShop(world);
    expect(await refusalOf(spend(shop, newId(), 1))).toBe('INSUFFICIENT_POINTS');
    await grant(shop, 10);
    await grant(shop, 10, { validDays: 1 });
    expect(await refusalOf(spend(shop, newId(), 11, later(2)))).toBe('INSUFFICIENT_POINTS');
    expect(await refusalOf(spend(shop, newId(), 21))).toBe('INSUFFICIENT_POINTS');
    expect(await balanceOf(shop)).toEqual(balanced(20));
    expect(await emOf(world, shop.tenantId).count(OrderPoints)).toBe(0);
  });

  it('S2.7 nothing moves where the entry of the ledger fails', async () => {
    const shop = await openShop(world);
    const lot = await grant(shop, 10);
    const orderId = newId();
    await spend(shop, orderId, 4);
    const { id: taken } = await emOf(world, shop.tenantId).findOneOrFail(PointsLedger, { orderId });
    const broken = new PointsService({ next: () => taken } as IdGenerator);
    const { tenantId, userId } = shop;
    const now = new Date();
    const spending = within(shop, async (em) => broken.spend(em, tenantId, userId, newId(), 2, now));
    await expect(spending).rejects.toSatisfy(isDuplicateKey);
    const closing = within(shop, async (em) => broken.giveBack(em, tenantId, orderId, 'TIMEOUT', now));
    await expect(closing).rejects.toSatisfy(isDuplicateKey);
    expect(await lotState(shop, lot)).toEqual({ remaining: 6, spent: 4 });
    expect(await balanceOf(shop)).toEqual(balanced(6));
    expect(await emOf(world, tenantId).count(OrderPoints)).toBe(1);
  });
});

/** As if its time had come. */
async function expireNow({ tenantId }: Shop, lotId: string): Promise<void> {
  const expiresAt = new Date(Date.now() - 1000);
  await emOf(world, tenantId).nativeUpdate(PointsLot, { id: lotId }, { expiresAt });
}

describe('S2.8 from many sides at once', () => {
  it('S2.8 thirty orders share the points of a user: none is spent twice', async () => {
    const shop = await openShop(world);
    await grant(shop, 60, { validDays: 5 });
    await grant(shop, 40);
    const answers = await Promise.all(
      Array.from({ length: 30 }, async () => refusalOf(spend(shop, newId(), 5))),
    );
    expect(answers.filter((answer) => answer === 'DONE')).toHaveLength(20);
    expect(answers.filter((answer) => answer === 'INSUFFICIENT_POINTS')).toHaveLength(10);
    expect(await balanceOf(shop)).toEqual(balanced(0));
  });

  it('S2.8 twenty closings of one order give its points back once', async () => {
    const shop = await openShop(world);
    await grant(shop, 10);
    const orderId = newId();
    await spend(shop, orderId, 7);
    const back = await Promise.all(Array.from({ length: 20 }, async () => returnPoints(shop, orderId)));
    expect(back.filter((points) => points === 7)).toHaveLength(1);
    expect(back.filter((points) => points === 0)).toHaveLength(19);
    expect(await balanceOf(shop)).toEqual(balanced(10));
    expect(await pointsLedgerOf(shop)).toEqual(['GRANT 10', 'SPEND -7', 'GIVE_BACK 7']);
  });

  it('fifty first grants of a user make one account', async () => {
    const shop = await openShop(world);
    await Promise.all(Array.from({ length: 50 }, async () => grant(shop, 2)));
    expect(await balanceOf(shop)).toEqual(balanced(100));
    expect(await emOf(world, shop.tenantId).count(PointsAccount)).toBe(1);
  });

  it('S2.8 sweeps beside orders expire each lot once', async () => {
    const shop = await openShop(world);
    const lots = await Promise.all(Array.from({ length: 12 }, async () => grant(shop, 5)));
    await grant(shop, 100);
    const orders = Array.from({ length: 10 }, newId);
    await Promise.all(orders.map(async (orderId) => spend(shop, orderId, 6)));
    for (const lot of lots) await expireNow(shop, lot);
    await Promise.all([
      ...Array.from({ length: 4 }, async () => world.services.pointsExpiry.run()),
      ...orders.map(async (orderId) => returnPoints(shop, orderId)),
    ]);
    await world.services.pointsExpiry.run();
    const { account, lots: sum, ledger } = await balanceOf(shop);
    expect([account, sum, ledger]).toEqual([100, 100, 100]);
    for (const lot of lots) expect(await lotState(shop, lot)).toEqual({ remaining: 0, spent: 0 });
  });
});

const GRANT = `mutation ($input: GrantPointsInput!) {
  grantPoints(input: $input) { lot { id granted remaining expiresAt } replayed errors { code field } }
}`;
const MINE = `query ($size: Int) {
  myPoints {
    balance lots { granted remaining expiresAt }
    ledger(size: $size) { total next items { action cause points orderId } }
  }
}`;

describe('the API of points', () => {
  let api: ProductApi;
  beforeAll(() => {
    api = new ProductApi(world);
  });
  const userOf = ({ tenantId, userId }: Shop): Actor => ({ kind: 'USER', tenantId, userId });

  it('grants once for a key, and refuses by the first reason that applies', async () => {
    const shop = await openShop(world);
    const { tenantId, userId } = shop;
    const call = async (input: object) => {
      const { data, errors } = await api.ask(staffOf(tenantId), GRANT, { input });
      expect(errors).toEqual([]);
      return data['grantPoints'] ?? {};
    };
    const input = { userId, amount: 5, validDays: 3, idempotencyKey: 'k' };
    const first = await call(input);
    expect(first).toMatchObject({ lot: { granted: 5, remaining: 5 }, replayed: false, errors: [] });
    expect(await call(input)).toEqual({ ...first, replayed: true });
    const foreign = await seedUser(world, (await openShop(world)).tenantId);
    const past = '2020-01-01T00:00:00Z';
    const refused: [string, object][] = [
      ['POINTS_OUT_OF_RANGE', { userId, amount: 0, validDays: 0 }],
      ['VALID_DAYS_OUT_OF_RANGE', { userId, amount: 1, validDays: 0 }],
      ['POINTS_EXPIRY_NOT_ALLOWED', { userId, amount: 1, validDays: 1, expiresAt: '2090-01-01T00:00:00Z' }],
      ['IDEMPOTENCY_KEY_MALFORMED', { userId, amount: 1, idempotencyKey: 'a b' }],
      ['IDEMPOTENCY_KEY_REUSED', { ...input, amount: 6 }],
      ['USER_NOT_FOUND', { userId: foreign, amount: 1, expiresAt: past }],
      ['POINTS_EXPIRY_PAST', { userId, amount: 1, expiresAt: past }],
    ];
    const answers: unknown[] = [];
    for (const [, wrong] of refused) answers.push(refusalIn(await call(wrong)));
    expect(answers).toEqual(refused.map(([code]) => code));
    expect(await balanceOf(shop)).toEqual(balanced(5));
    for (const actor of [staffOf(tenantId, 'AUDITOR'), userOf(shop)])
      expect((await api.ask(actor, GRANT, { input })).errors).toEqual(['FORBIDDEN']);
  });

  it('shows a user what can be spent, and the ledger by pages', async () => {
    const shop = await openShop(world);
    const [dead] = [await grant(shop, 7), await grant(shop, 5), await grant(shop, 3, { validDays: 9 })];
    await expireNow(shop, dead);
    const orderId = newId();
    await spend(shop, orderId, 4);
    const { data, errors } = await api.ask(userOf(shop), MINE, { size: 2 });
    expect(errors).toEqual([]);
    expect(data['myPoints']).toMatchObject({
      balance: 4,
      lots: [{ granted: 5, remaining: 4, expiresAt: null }],
      ledger: { next: expect.any(String) as string },
    });
    const ledger = data['myPoints']?.['ledger'] as { items: object[] };
    expect(ledger.items).toContainEqual({ action: 'SPEND', cause: 'ORDER', points: -4, orderId });
    const staff = await api.ask(
      staffOf(shop.tenantId),
      'query ($id: ID!) { points(userId: $id) { balance } }',
      {
        id: shop.userId,
      },
    );
    expect(staff.data['points']).toEqual({ balance: 4 });
    expect((await api.ask(staffOf(shop.tenantId), MINE)).errors).toEqual(['FORBIDDEN']);
  });
});
