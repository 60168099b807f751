import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Actor } from '../../src/graphql/actor.js';
import { CouponTemplate } from '../../src/orders/coupons/coupon-template.entity.js';
import { UserCoupon } from '../../src/orders/coupons/user-coupon.entity.js';
import { apply, openShop, seedCoupon, seedTemplate, type Shop } from '../support/coupon-world.js';
import { ProductApi, refusalIn, staffOf } from '../support/product-api.js';
import { emOf, openWorld, seedUser, type World } from '../support/world.js';

let world: World;
let api: ProductApi;
beforeAll(async () => {
  world = await openWorld();
  api = new ProductApi(world);
});
afterAll(async () => world?.close());

const userOf = ({ tenantId, userId }: Shop): Actor => ({ kind: 'USER', tenantId, userId });

const CREATE = `mutation ($input: CreateCouponTemplateInput!) {
  createCouponTemplate(input: $input) {
    template { id name kind currency amount minimum rateMille issueLimit issued validDays endsAt enabled version }
    errors { code field }
  }
}`;
const UPDATE = `mutation ($input: UpdateCouponTemplateInput!) {
  updateCouponTemplate(input: $input) {
    template { name issueLimit validDays endsAt enabled version } errors { code field }
  }
}`;
const ISSUE = `mutation ($input: IssueCouponInput!) {
  issueCoupon(input: $input) { coupons { id name userId balance status expiresAt } replayed errors { code field } }
}`;
const MINE = `query ($filter: MyCouponFilterInput) {
  myCoupons(filter: $filter) { total items { id name kind balance status reservedOrderId } }
}`;
const LIST = `query ($filter: CouponFilterInput, $size: Int, $after: ID) {
  coupons(filter: $filter, size: $size, after: $after) { total next items { id userId externalUserId status } }
}`;

async function call(shop: Shop, source: string, input: object, actor = staffOf(shop.tenantId)) {
  const { data, errors } = await api.ask(actor, source, { input });
  expect(errors).toEqual([]);
  const [payload] = Object.values(data);
  return payload ?? {};
}

describe('createCouponTemplate', () => {
  it('answers the template to OPERATOR and OWNER', async () => {
    const shop = await openShop(world);
    const input = { name: 'Ten off', kind: 'THRESHOLD', currency: 'USD', amount: '10', minimum: '50.5' };
    for (const role of ['OWNER', 'OPERATOR'] as const) {
      const payload = await call(shop, CREATE, { ...input, issueLimit: 5 }, staffOf(shop.tenantId, role));
      expect(payload).toMatchObject({
        template: { ...input, rateMille: 0, issueLimit: 5, issued: 0, enabled: true, version: 1 },
        errors: [],
      });
    }
  });

  it('refuses bad input by the first reason that applies, and writes nothing', async () => {
    const shop = await openShop(world);
    const good = { name: 'A', kind: 'AMOUNT', currency: 'USD', amount: '10' };
    const refused: [string, object][] = [
      ['NAME_NOT_ALLOWED', { name: ' ', currency: 'usd' }],
      ['CURRENCY_NOT_ALLOWED', { currency: 'usd', amount: '-1' }],
      ['COUPON_AMOUNT_NOT_ALLOWED', { amount: '0' }],
      ['COUPON_AMOUNT_NOT_ALLOWED', { amount: '-1', currency: 'EUR' }],
      ['COUPON_AMOUNT_NOT_ALLOWED', { kind: 'RATE', rateMille: 10 }],
      ['COUPON_MINIMUM_NOT_ALLOWED', { kind: 'THRESHOLD' }],
      ['COUPON_MINIMUM_NOT_ALLOWED', { minimum: '5' }],
      ['COUPON_RATE_NOT_ALLOWED', { rateMille: 1001 }],
      ['COUPON_RATE_NOT_ALLOWED', { rateMille: 1 }],
      ['COUPON_RATE_NOT_ALLOWED', { kind: 'RATE', amount: null }],
      ['ISSUE_LIMIT_OUT_OF_RANGE', { issueLimit: 0 }],
      ['VALID_DAYS_OUT_OF_RANGE', { validDays: 36_501 }],
      ['WINDOW_NOT_ALLOWED', { startsAt: '2030-01-02T00:00:00Z', endsAt: '2030-01-02T00:00:00Z' }],
      ['CURRENCY_NOT_FOUND', { currency: 'EUR' }],
      ['AMOUNT_TOO_PRECISE', { amount: '1.001' }],
      ['AMOUNT_TOO_PRECISE', { kind: 'THRESHOLD', minimum: '1.001' }],
    ];
    const answers: unknown[] = [];
    for (const [, part] of refused) answers.push(refusalIn(await call(shop, CREATE, { ...good, ...part })));
    expect(answers).toEqual(refused.map(([code]) => code));
    expect(await emOf(world, shop.tenantId).count(CouponTemplate)).toBe(0);
  });

  it('is not for AUDITOR or users, and another tenant does not see it', async () => {
    const shop = await openShop(world);
    const input = { name: 'A', kind: 'AMOUNT', currency: 'USD', amount: '10' };
    for (const actor of [staffOf(shop.tenantId, 'AUDITOR'), userOf(shop)])
      expect((await api.ask(actor, CREATE, { input })).errors).toEqual(['FORBIDDEN']);
    const id = await seedTemplate(shop, 'AMOUNT');
    const other = staffOf((await openShop(world)).tenantId);
    const read = 'query ($id: ID!) { couponTemplate(id: $id) { id } couponTemplates { total } }';
    expect((await api.ask(other, read, { id })).data).toEqual({
      couponTemplate: null,
      couponTemplates: { total: 0 },
    });
    expect((await api.ask(staffOf(shop.tenantId), read, { id })).data).toEqual({
      couponTemplate: { id },
      couponTemplates: { total: 1 },
    });
  });
});

describe('updateCouponTemplate', () => {
  it('changes what is given, removes what is null, and leaves issued coupons as they were', async () => {
    const shop = await openShop(world);
    const templateId = await seedTemplate(shop, 'AMOUNT', {
      issueLimit: 5,
      validDays: 10,
      endsAt: new Date('2040-01-01T00:00:00Z'),
    });
    const input = { templateId, userId: shop.userId };
    const issued = (await call(shop, ISSUE, input))['coupons'] as { expiresAt: string }[];
    const changed = await call(shop, UPDATE, { templateId, name: 'B', validDays: null, endsAt: null });
    expect(changed['template']).toEqual({
      name: 'B',
      issueLimit: 5,
      validDays: null,
      endsAt: null,
      enabled: true,
      version: 2,
    });
    const [kept] = await emOf(world, shop.tenantId).find(UserCoupon, { templateId });
    expect(kept?.expiresAt?.toISOString()).toBe(issued[0]?.expiresAt);
  });

  it('refuses what cannot be, and writes nothing', async () => {
    const shop = await openShop(world);
    const templateId = await seedTemplate(shop, 'AMOUNT', { issueLimit: 5 });
    await call(shop, ISSUE, { templateId, userId: shop.userId, count: 3 });
    const refused: [string, object][] = [
      ['NAME_NOT_ALLOWED', { name: '\u2028' }],
      ['ISSUE_LIMIT_OUT_OF_RANGE', { issueLimit: -1 }],
      ['COUPON_TEMPLATE_NOT_FOUND', { templateId: '7', name: 'B' }],
      ['VERSION_CONFLICT', { expectedVersion: 2, name: 'B' }],
      ['WINDOW_NOT_ALLOWED', { startsAt: '2030-01-02T00:00:00Z', endsAt: '2030-01-01T00:00:00Z' }],
      ['ISSUE_LIMIT_BELOW_ISSUED', { issueLimit: 2, name: 'B' }],
    ];
    const answers: unknown[] = [];
    for (const [, part] of refused)
      answers.push(refusalIn(await call(shop, UPDATE, { templateId, ...part })));
    expect(answers).toEqual(refused.map(([code]) => code));
    const row = await emOf(world, shop.tenantId).findOneOrFail(CouponTemplate, { id: templateId });
    expect(row).toMatchObject({ name: 'AMOUNT', issueLimit: 5, issued: 3, version: 1 });
  });
});

describe('issueCoupon', () => {
  it('issues once for a key, and refuses the key with other arguments', async () => {
    const shop = await openShop(world);
    const templateId = await seedTemplate(shop, 'AMOUNT', { validDays: 3 });
    const input = { templateId, userId: shop.userId, count: 2, idempotencyKey: 'k' };
    const first = await call(shop, ISSUE, input);
    expect(first).toMatchObject({
      coupons: [
        { name: 'AMOUNT', balance: '10', status: 'AVAILABLE' },
        { name: 'AMOUNT', balance: '10', status: 'AVAILABLE' },
      ],
      replayed: false,
      errors: [],
    });
    expect(await call(shop, ISSUE, input)).toEqual({ ...first, replayed: true });
    expect(refusalIn(await call(shop, ISSUE, { ...input, count: 1 }))).toBe('IDEMPOTENCY_KEY_REUSED');
    expect(await emOf(world, shop.tenantId).count(UserCoupon)).toBe(2);
  });

  it('refuses by the first reason that applies, and writes nothing', async () => {
    const shop = await openShop(world);
    const userId = shop.userId;
    const open = await seedTemplate(shop, 'AMOUNT', { issueLimit: 1 });
    const disabled = await seedTemplate(shop, 'AMOUNT', { enabled: false });
    const early = await seedTemplate(shop, 'AMOUNT', { startsAt: new Date('2090-01-01T00:00:00Z') });
    const late = await seedTemplate(shop, 'AMOUNT', { endsAt: new Date('2020-01-01T00:00:00Z') });
    const foreign = await seedUser(world, (await openShop(world)).tenantId);
    const refused: [string, object][] = [
      ['COUPON_COUNT_OUT_OF_RANGE', { templateId: open, userId, count: 101 }],
      ['IDEMPOTENCY_KEY_MALFORMED', { templateId: open, userId, idempotencyKey: 'a b' }],
      ['USER_NOT_FOUND', { templateId: '7', userId: foreign }],
      ['COUPON_TEMPLATE_NOT_FOUND', { templateId: '7', userId }],
      ['COUPON_TEMPLATE_DISABLED', { templateId: disabled, userId }],
      ['COUPON_TEMPLATE_NOT_STARTED', { templateId: early, userId }],
      ['COUPON_TEMPLATE_ENDED', { templateId: late, userId }],
      ['ISSUE_LIMIT_REACHED', { templateId: open, userId, count: 2 }],
    ];
    const answers: unknown[] = [];
    for (const [, input] of refused) answers.push(refusalIn(await call(shop, ISSUE, input)));
    expect(answers).toEqual(refused.map(([code]) => code));
    expect(await emOf(world, shop.tenantId).count(UserCoupon)).toBe(0);
  });
});

describe('lists of coupons', () => {
  it("show one's own to a user, by the status of this instant, and all to staff", async () => {
    const shop = await openShop(world);
    const { tenantId } = shop;
    const other = { ...shop, userId: await seedUser(world, tenantId) };
    const [free, held, over] = [
      await seedCoupon(shop, 'AMOUNT'),
      await seedCoupon(shop, 'RATE'),
      await seedCoupon(shop, 'AMOUNT'),
    ];
    const foreign = await seedCoupon(other, 'AMOUNT');
    const orderId = world.services.ids.next();
    await apply(shop, orderId, [held]);
    // Expired, and not swept yet unless a sweep has just come by.
    await emOf(world, tenantId).nativeUpdate(
      UserCoupon,
      { id: over },
      { expiresAt: new Date(Date.now() - 1) },
    );
    const mine = await api.ask(userOf(shop), MINE);
    expect(mine.data['myCoupons']).toMatchObject({
      total: 3,
      items: [
        { id: over, status: 'EXPIRED' },
        { id: held, status: 'RESERVED', reservedOrderId: orderId },
        { id: free, status: 'AVAILABLE', balance: '10' },
      ],
    });
    const idsOf = async (status: string) => {
      const { data } = await api.ask(userOf(shop), MINE, { filter: { status } });
      const items = (data['myCoupons']?.['items'] ?? []) as { id: string }[];
      return items.map(({ id }) => id);
    };
    expect(await idsOf('AVAILABLE')).toEqual([free]);
    expect(await idsOf('EXPIRED')).toEqual([over]);
    expect(await idsOf('RESERVED')).toEqual([held]);
    expect(await idsOf('USED')).toEqual([]);
    const staff = staffOf(tenantId, 'AUDITOR');
    const all = await api.ask(staff, LIST, { size: 2 });
    expect(all.data['coupons']).toMatchObject({
      total: 4,
      next: over,
      items: [{ id: foreign }, { id: over }],
    });
    const rest = await api.ask(staff, LIST, { after: over });
    expect(rest.data['coupons']).toMatchObject({ next: null, items: [{ id: held }, { id: free }] });
    const ofOther = await api.ask(staff, LIST, { filter: { userId: other.userId, status: 'AVAILABLE' } });
    expect(ofOther.data['coupons']).toMatchObject({ total: 1, items: [{ id: foreign }] });
    expect((await api.ask(staff, LIST, { filter: { userId: 'x' } })).data['coupons']).toMatchObject({
      total: 0,
    });
    expect((await api.ask(userOf(shop), LIST)).errors).toEqual(['FORBIDDEN']);
  });
});
