import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Actor } from '../../src/graphql/actor.js';
import { makeMoneyScene, USD, type MoneyScene } from '../support/money-world.js';
import { ProductApi, staffOf } from '../support/product-api.js';
import { openWorld, redeem, seedCampaign, seedTenant, type World } from '../support/world.js';

let world: World;
let api: ProductApi;
beforeAll(async () => {
  world = await openWorld();
  api = new ProductApi(world);
});
afterAll(async () => world?.close());

const BALANCE = `query ($facilityId: ID, $currency: String) { trialBalance(facilityId: $facilityId, currency: $currency) {
  asOf isBalanced currencies { currency debit credit unbalancedFacilityIds rows { kind debit credit } } } }`;

/** Another process' answer: each keeps its own for some seconds. */
async function balanceOf(tenantId: string, filter: Record<string, unknown> = {}) {
  const other = await openWorld();
  try {
    const { data, errors } = await new ProductApi(other).ask(staffOf(tenantId, 'AUDITOR'), BALANCE, filter);
    expect(errors).toEqual([]);
    const { asOf, ...balance } = data['trialBalance'] ?? {};
    expect(asOf).toEqual(expect.any(String));
    return balance;
  } finally {
    await other.close();
  }
}

describe('trialBalance', () => {
  it('S3.5 has equal debits and credits by currency and kind, whatever moves meanwhile', async () => {
    const scene = await makeMoneyScene(world, 3, { feeRate: '0.1' });
    const [a = '', b = '', c = ''] = scene.users;
    await world.services.currencies.create(scene.tenantId, { code: 'GOLD', name: 'Gold', scale: 0 });
    const shop = (await world.services.facilities.create(scene.tenantId, { name: 'Second' })).id;
    await scene.fund(a, '100');
    await scene.fund(b, '100');
    await scene.fund(c, '7', { currency: 'GOLD', facilityId: shop });
    const moves = Promise.all(
      Array.from({ length: 40 }, async (_, at) =>
        scene.transfer(at % 2 === 0 ? a : b, at % 2 === 0 ? b : a, '1'),
      ),
    );
    const seen = [await balanceOf(scene.tenantId), await balanceOf(scene.tenantId)];
    for (const { isBalanced } of seen as { isBalanced: boolean }[]) expect(isBalanced).toBe(true);
    await moves;
    const gold = {
      currency: 'GOLD',
      debit: '7',
      credit: '7',
      unbalancedFacilityIds: [],
      rows: [
        { kind: 'USERS', debit: '0', credit: '7' },
        { kind: 'ISSUE', debit: '7', credit: '0' },
      ],
    };
    const dollars = {
      currency: USD,
      debit: '200',
      credit: '200',
      unbalancedFacilityIds: [],
      rows: [
        { kind: 'USERS', debit: '0', credit: '196' },
        { kind: 'ISSUE', debit: '200', credit: '0' },
        { kind: 'FEE', debit: '0', credit: '4' },
      ],
    };
    expect(await balanceOf(scene.tenantId)).toEqual({ isBalanced: true, currencies: [gold, dollars] });
    expect(await balanceOf(scene.tenantId, { currency: USD })).toEqual({
      isBalanced: true,
      currencies: [dollars],
    });
    expect(await balanceOf(scene.tenantId, { facilityId: shop })).toEqual({
      isBalanced: true,
      currencies: [gold],
    });
    expect(await balanceOf(scene.tenantId, { facilityId: 'x' })).toEqual({
      isBalanced: true,
      currencies: [],
    });
  });

  it('S4.12 has the rewards of redemptions on both sides', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    await world.services.currencies.create(tenantId, { code: USD, name: 'Dollar', scale: 2 });
    const { id: facilityId } = await world.services.facilities.create(tenantId, { name: 'Shop' });
    const rewardRules = [{ type: 'BALANCE', id: facilityId, currency: USD, amount: '2.50' }];
    const { codes } = await seedCampaign(world, tenant, 1, { rule: { rewardRules } });
    const { userId } = await world.services.users.createUserToken(tenantId, { externalUserId: 'u' });
    await redeem(world, tenantId, userId, codes[0] ?? '');
    expect(await balanceOf(tenantId)).toMatchObject({
      isBalanced: true,
      currencies: [
        {
          debit: '2.5',
          credit: '2.5',
          rows: [
            { kind: 'USERS', credit: '2.5' },
            { kind: 'REWARD', debit: '2.5' },
          ],
        },
      ],
    });
  });

  it('names the facilities at which a balance was changed past the ledger', async () => {
    const scene = await makeMoneyScene(world, 2);
    const [a = '', b = ''] = scene.users;
    const shop = (await world.services.facilities.create(scene.tenantId, { name: 'Second' })).id;
    await scene.fund(a, '10');
    await scene.fund(b, '10', { facilityId: shop });
    // By the same amount and in opposite directions: the currency as a whole still sums to zero.
    await scene.sql('update money_account set balance = balance + 1 where tenant_id = ? and user_id = ?', [
      scene.tenantId,
      a,
    ]);
    await scene.sql('update money_account set balance = balance - 1 where tenant_id = ? and user_id = ?', [
      scene.tenantId,
      b,
    ]);
    expect(await balanceOf(scene.tenantId)).toMatchObject({
      isBalanced: false,
      currencies: [
        {
          debit: '20',
          credit: '20',
          unbalancedFacilityIds: [scene.facilityId, shop].toSorted((x, y) => Number(BigInt(x) - BigInt(y))),
        },
      ],
    });
    expect(await balanceOf(scene.tenantId, { facilityId: shop })).toMatchObject({
      isBalanced: false,
      currencies: [{ debit: '10', credit: '9' }],
    });
    expect(await balanceOf(scene.tenantId, { facilityId: 'none' })).toMatchObject({ currencies: [] });
  });

  it('is read once for all who ask within some seconds', async () => {
    const scene = await makeMoneyScene(world, 1);
    await scene.fund(scene.users[0] ?? '', '1');
    const asked = Array.from({ length: 8 }, async () => api.ask(staffOf(scene.tenantId), BALANCE));
    const times = (await Promise.all(asked)).map(({ data }) => data['trialBalance']?.['asOf']);
    expect(new Set(times).size).toBe(1);
  });
});

describe('S3.3 entries of an account', () => {
  const ENTRIES = `query ($filter: EntryFilterInput, $after: ID, $sort: SortOrder, $size: Int) {
    entries(filter: $filter, after: $after, sort: $sort, size: $size) { total next items { id entryNo orderId } } }`;
  interface Listed {
    readonly total: number;
    readonly next: string | null;
    readonly items: readonly { readonly id: string; readonly entryNo: number; readonly orderId: string }[];
  }
  const askAs = async (actor: Actor, variables: Record<string, unknown>): Promise<Listed> => {
    const { data, errors } = await api.ask(actor, ENTRIES, variables);
    expect(errors).toEqual([]);
    return data['entries'] as unknown as Listed;
  };
  const accountOf = async (scene: MoneyScene, userId: string): Promise<string> => {
    const source = `{ accounts(filter: { userId: "${userId}" }) { items { id } } }`;
    const { data } = await api.ask(staffOf(scene.tenantId), source);
    const [account] = (data['accounts']?.['items'] ?? []) as { id: string }[];
    return account?.id ?? '';
  };

  it('are read page after page in the order of their numbers, whatever their ids are', async () => {
    const scene = await makeMoneyScene(world, 2);
    const [a = '', b = ''] = scene.users;
    await scene.fund(b, '5');
    for (let at = 0; at < 7; at += 1) await scene.fund(a, '1');
    const accountId = await accountOf(scene, a);
    const staff = staffOf(scene.tenantId, 'AUDITOR');
    const walk = async (sort: string): Promise<number[]> => {
      const seen: number[] = [];
      for (let after: string | null = null, isEnd = false; !isEnd;) {
        const page: Listed = await askAs(staff, { filter: { accountId }, size: 3, after, sort });
        expect(page.total).toBe(7);
        seen.push(...page.items.map(({ entryNo }) => entryNo));
        after = page.next;
        isEnd = after === null;
      }
      return seen;
    };
    expect(await walk('NEWEST_FIRST')).toEqual([7, 6, 5, 4, 3, 2, 1]);
    expect(await walk('OLDEST_FIRST')).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('are narrowed by order, type and time; users see their own only', async () => {
    const scene = await makeMoneyScene(world, 2);
    const [a = '', b = ''] = scene.users;
    await scene.fund(a, '5');
    await scene.transfer(a, b, '1');
    const accountId = await accountOf(scene, a);
    const staff = staffOf(scene.tenantId, 'AUDITOR');
    const numbers = async (filter: Record<string, unknown>, actor: Actor = staff) => {
      const { total, items } = await askAs(actor, { filter: { accountId, ...filter } });
      expect(total).toBe(items.length);
      return items.map(({ entryNo }) => entryNo);
    };
    const [last] = (await askAs(staff, { filter: { accountId } })).items;
    expect(await numbers({ orderId: last?.orderId })).toEqual([2]);
    expect(await numbers({ type: 'ADJUSTMENT' })).toEqual([1]);
    const [early, late] = [new Date(Date.now() - 3_600_000), new Date(Date.now() + 3_600_000)];
    expect(await numbers({ from: early, before: late })).toEqual([2, 1]);
    expect(await numbers({ from: late })).toEqual([]);
    expect(await numbers({ accountId: 'x' })).toEqual([]);
    expect(await numbers({ userId: b })).toEqual([]);
    expect(await numbers({}, { kind: 'USER', tenantId: scene.tenantId, userId: b })).toEqual([]);
    expect(await numbers({}, { kind: 'USER', tenantId: scene.tenantId, userId: a })).toEqual([2, 1]);
  });
});
