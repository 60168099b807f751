import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Actor } from '../../src/graphql/actor.js';
import { counted, ledgerOf, makeMoneyScene, USD, type MoneyScene } from '../support/money-world.js';
import { ProductApi, refusalIn, staffOf } from '../support/product-api.js';
import { openWorld, type World } from '../support/world.js';

let world: World;
let api: ProductApi;
beforeAll(async () => {
  world = await openWorld();
  api = new ProductApi(world);
});
afterAll(async () => world?.close());

const userOf = ({ tenantId, users }: MoneyScene, at: number): Actor => ({
  kind: 'USER',
  tenantId,
  userId: users[at] ?? '',
});

const MUTATIONS: Readonly<Record<string, string>> = {
  createCurrency:
    'currency { code name scale feeRate transferMax dailyCountMax dailySumMax enabled version }',
  updateCurrency:
    'currency { code name scale feeRate transferMax dailyCountMax dailySumMax enabled version }',
  createFacility: 'facility { id name enabled version }',
  updateFacility: 'facility { id name enabled version }',
  adjustBalance:
    'entry { id accountId entryNo userId type orderId before amount after remark externalUserId }',
  transfer: 'transfer { id orderId fromUserId toUserId facilityId currency amount fee net day }',
  releaseAccount: 'account { id haltedAt }',
};

async function mutate(actor: Actor, name: string, input: Record<string, unknown>) {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
  const source = `mutation ($input: ${type}!) { ${name}(input: $input) { ${MUTATIONS[name]} errors { code field } } }`;
  const { data, errors } = await api.ask(actor, source, { input });
  return { payload: data[name] ?? {}, errors };
}

/** The code of the refusal, and the field at fault. */
async function refusal(actor: Actor, name: string, input: Record<string, unknown>): Promise<unknown> {
  const { payload, errors } = await mutate(actor, name, input);
  const [error] = (payload['errors'] ?? []) as { field: string[] | null }[];
  return errors.length > 0 ? errors : [refusalIn(payload), error?.field?.at(-1)];
}

describe('currencies and facilities', () => {
  it('are made and changed by staff, and shown to users while they are enabled', async () => {
    const scene = await makeMoneyScene(world, 1);
    const staff = staffOf(scene.tenantId);
    const gold = {
      code: 'GOLD',
      name: 'Gold',
      scale: 0,
      feeRate: '0.1',
      transferMax: '50',
      dailyCountMax: 3,
    };
    const { payload } = await mutate(staff, 'createCurrency', gold);
    expect(payload['currency']).toEqual({ ...gold, dailySumMax: null, enabled: true, version: 1 });
    const changes = { code: 'GOLD', feeRate: '0', transferMax: null, dailySumMax: '100', enabled: false };
    const changed = await mutate(staff, 'updateCurrency', changes);
    expect(changed.payload['currency']).toEqual({ ...gold, ...changes, version: 2 });
    const { facilityId } = scene;
    await mutate(staff, 'updateFacility', { facilityId, name: 'Old shop', enabled: false });
    const source = '{ currencies { code } facilities { total items { name enabled } } }';
    const ofStaff = await api.ask(staff, source);
    expect(ofStaff.data).toEqual({
      currencies: [{ code: 'GOLD' }, { code: USD }],
      facilities: { total: 1, items: [{ name: 'Old shop', enabled: false }] },
    });
    const ofUser = await api.ask(userOf(scene, 0), source);
    expect(ofUser.data).toEqual({ currencies: [{ code: USD }], facilities: { total: 0, items: [] } });
  });

  it('S3.13 are refused with the code of the first fault, and nothing is made', async () => {
    const scene = await makeMoneyScene(world, 1);
    const staff = staffOf(scene.tenantId);
    const good = { code: 'GOLD', name: 'Gold', scale: 2 };
    const made = async (more: Record<string, unknown>) =>
      refusal(staff, 'createCurrency', { ...good, ...more });
    expect(await made({ code: 'gold', name: '' })).toEqual(['CURRENCY_CODE_MALFORMED', 'code']);
    expect(await made({ code: 'G' })).toEqual(['CURRENCY_CODE_MALFORMED', 'code']);
    expect(await made({ name: ' ' })).toEqual(['CURRENCY_NAME_MALFORMED', 'name']);
    expect(await made({ scale: 11, feeRate: '1' })).toEqual(['CURRENCY_SCALE_OUT_OF_RANGE', 'scale']);
    expect(await made({ scale: -1 })).toEqual(['CURRENCY_SCALE_OUT_OF_RANGE', 'scale']);
    expect(await made({ feeRate: '1' })).toEqual(['FEE_RATE_OUT_OF_RANGE', 'feeRate']);
    expect(await made({ feeRate: '-0.01' })).toEqual(['FEE_RATE_OUT_OF_RANGE', 'feeRate']);
    expect(await made({ transferMax: '0' })).toEqual(['TRANSFER_MAX_MALFORMED', 'transferMax']);
    expect(await made({ dailyCountMax: 0 })).toEqual(['DAILY_COUNT_OUT_OF_RANGE', 'dailyCountMax']);
    expect(await made({ dailySumMax: '-1' })).toEqual(['DAILY_SUM_MALFORMED', 'dailySumMax']);
    expect(await made({ code: USD })).toEqual(['CURRENCY_EXISTS', 'code']);
    const changed = async (more: Record<string, unknown>) =>
      refusal(staff, 'updateCurrency', { code: USD, ...more });
    expect(await changed({ code: 'NONE' })).toEqual(['CURRENCY_NOT_FOUND', 'code']);
    expect(await changed({ feeRate: '2' })).toEqual(['FEE_RATE_OUT_OF_RANGE', 'feeRate']);
    expect(await changed({ expectedVersion: 7 })).toEqual(['VERSION_CONFLICT', 'expectedVersion']);
    expect(await refusal(staff, 'createFacility', { name: '' })).toEqual(['FACILITY_NAME_MALFORMED', 'name']);
    const facility = async (facilityId: string) =>
      refusal(staff, 'updateFacility', { facilityId, name: 'x' });
    expect(await facility('7')).toEqual(['FACILITY_NOT_FOUND', 'facilityId']);
    expect(await facility('shop')).toEqual(['FACILITY_NOT_FOUND', 'facilityId']);
    const { data } = await api.ask(staff, '{ currencies { code version } facilities { total } }');
    expect(data).toEqual({ currencies: [{ code: USD, version: 1 }], facilities: { total: 1 } });
  });
});

describe('adjustBalance', () => {
  const inputOf = ({ users, facilityId }: MoneyScene) => ({
    userId: users[0],
    facilityId,
    currency: USD,
    amount: '12.50',
    orderId: 'gift:1',
    remark: 'Welcome',
  });

  it('S3.11 changes a balance once for an order id, with its reason', async () => {
    const scene = await makeMoneyScene(world, 1);
    const staff = staffOf(scene.tenantId, 'OPERATOR');
    const first = await mutate(staff, 'adjustBalance', inputOf(scene));
    expect(first.payload['entry']).toMatchObject({
      userId: scene.users[0],
      entryNo: 1,
      type: 'ADJUSTMENT',
      before: '0',
      amount: '12.5',
      after: '12.5',
      remark: 'Welcome',
      externalUserId: expect.any(String) as string,
    });
    const again = await mutate(staff, 'adjustBalance', inputOf(scene));
    expect(again.payload).toEqual(first.payload);
    const less = { ...inputOf(scene), amount: '-2.5', orderId: 'fee:1' };
    expect((await mutate(staff, 'adjustBalance', less)).payload['entry']).toMatchObject({ after: '10' });
    expect(await ledgerOf(scene)).toMatchObject({ entries: 2, held: '10', sum: '0', faults: [] });
  });

  it('S3.13 is refused with the code of the first fault, and writes nothing', async () => {
    const scene = await makeMoneyScene(world, 1);
    const staff = staffOf(scene.tenantId);
    const input = inputOf(scene);
    const made = async (more: Record<string, unknown>) =>
      refusal(staff, 'adjustBalance', { ...input, ...more });
    expect(await made({ orderId: 'a b', amount: '0' })).toEqual(['ORDER_ID_MALFORMED', 'orderId']);
    expect(await made({ amount: '0', remark: '' })).toEqual(['AMOUNT_MALFORMED', 'amount']);
    expect(await made({ remark: ' ' })).toEqual(['REMARK_MALFORMED', 'remark']);
    expect(await made({ facilityId: '7', currency: 'NONE' })).toEqual(['FACILITY_NOT_FOUND', 'facilityId']);
    expect(await made({ currency: 'NONE', userId: '7' })).toEqual(['CURRENCY_NOT_FOUND', 'currency']);
    expect(await made({ userId: 'bob' })).toEqual(['USER_NOT_FOUND', 'userId']);
    expect(await made({ amount: '0.001' })).toEqual(['AMOUNT_TOO_PRECISE', 'amount']);
    expect(await made({ amount: '-0.01' })).toEqual(['INSUFFICIENT_BALANCE', 'amount']);
    expect(await made({ amount: 1.5 })).toEqual([expect.stringContaining('Decimal must be a string')]);
    expect(await made({ amount: 'NaN' })).toEqual([expect.stringContaining('Decimal must be a string')]);
    expect(await made({ amount: '1e3' })).toEqual([expect.stringContaining('Decimal must be a string')]);
    expect(await refusal(userOf(scene, 0), 'adjustBalance', input)).toEqual(['FORBIDDEN']);
    expect(await refusal(staffOf(scene.tenantId, 'AUDITOR'), 'adjustBalance', input)).toEqual(['FORBIDDEN']);
    expect(await ledgerOf(scene)).toMatchObject({ entries: 0, accounts: 0 });
  });
});

describe('transfer', () => {
  it('S3.5 moves the money of the caller, who cannot name another sender', async () => {
    const scene = await makeMoneyScene(world, 2, { feeRate: '0.1' });
    const [from = '', toUserId = ''] = scene.users;
    await scene.fund(from, '10');
    const input = { toUserId, facilityId: scene.facilityId, currency: USD, amount: '5', orderId: 'a' };
    const { payload } = await mutate(userOf(scene, 0), 'transfer', input);
    expect(payload).toMatchObject({
      transfer: { orderId: 'a', fromUserId: from, toUserId, amount: '5', fee: '0.5', net: '4.5' },
      errors: [],
    });
    const again = await mutate(userOf(scene, 0), 'transfer', input);
    expect(again.payload).toEqual(payload);
    expect(await refusal(staffOf(scene.tenantId), 'transfer', input)).toEqual(['FORBIDDEN']);
    const back = { ...input, toUserId: from, amount: '4.51', orderId: 'b' };
    expect(await refusal(userOf(scene, 1), 'transfer', back)).toEqual(['INSUFFICIENT_BALANCE', 'amount']);
    expect(await refusal(userOf(scene, 1), 'transfer', { ...back, amount: '0' })).toEqual([
      'AMOUNT_MALFORMED',
      'amount',
    ]);
    expect(await ledgerOf(scene)).toMatchObject({ transfers: 1, sum: '0', faults: [] });
  });
});

describe('lists', () => {
  const source = `query ($accounts: AccountFilterInput, $entries: EntryFilterInput, $transfers: TransferFilterInput) {
    accounts(filter: $accounts) { total items { userId currency balance haltedAt externalUserId } }
    entries(filter: $entries, size: 2) { total next items { userId type amount } }
    transfers(filter: $transfers) { total items { fromUserId toUserId amount } } }`;
  const ownSource = `query ($entries: EntryFilterInput, $transfers: TransferFilterInput) {
    myBalances { total items { userId balance } }
    entries(filter: $entries) { total items { userId type } }
    transfers(filter: $transfers) { total items { amount } } }`;

  it("show users their own, and staff all of the tenant's with filters and exact totals", async () => {
    const scene = await makeMoneyScene(world, 3);
    const [a = '', b = '', c = ''] = scene.users;
    await scene.fund(a, '10');
    await scene.transfer(a, b, '4', { orderId: 'x' });
    await scene.transfer(b, c, '1');
    const elsewhere = await makeMoneyScene(world, 1);
    await elsewhere.fund(elsewhere.users[0] ?? '', '1');
    const staff = staffOf(scene.tenantId, 'AUDITOR');
    const ask = async (variables: Record<string, unknown>) => (await api.ask(staff, source, variables)).data;
    const all = await ask({});
    expect(all['accounts']).toMatchObject({
      total: 3,
      items: [{ userId: c }, { userId: b }, { userId: a, balance: '6' }],
    });
    expect(all['entries']).toMatchObject({ total: 5, next: expect.any(String) as string });
    expect(all['transfers']).toMatchObject({ total: 2, items: [{ fromUserId: b }, { fromUserId: a }] });
    const ofB = { userId: b, facilityId: scene.facilityId, currency: USD };
    const some = await ask({ accounts: ofB, entries: { ...ofB, type: 'TRANSFER_OUT' }, transfers: ofB });
    expect(some['accounts']).toMatchObject({ total: 1, items: [{ balance: '3' }] });
    expect(some['entries']).toMatchObject({ total: 1, items: [{ userId: b, amount: '-1' }] });
    expect(some['transfers']).toMatchObject({ total: 2 });
    const none = { userId: 'bob' };
    const unknown = await ask({ accounts: none, entries: none, transfers: none });
    expect(
      [unknown['accounts'], unknown['entries'], unknown['transfers']].map((page) => page?.['total']),
    ).toEqual([0, 0, 0]);
    const halted = await ask({
      accounts: { isHalted: true },
      entries: { userId: b },
      transfers: { orderId: 'x' },
    });
    expect(
      [halted['accounts'], halted['entries'], halted['transfers']].map((page) => page?.['total']),
    ).toEqual([0, 2, 1]);
    const now = new Date().toISOString();
    const transfersIn = async (period: object) => (await ask({ transfers: period }))['transfers']?.['total'];
    expect([await transfersIn({ from: now }), await transfersIn({ before: now })]).toEqual([0, 2]);
    // Whatever users ask for, they see their own.
    const own = await api.ask(userOf(scene, 2), ownSource, {
      entries: { userId: a },
      transfers: { userId: a },
    });
    expect(own.data).toEqual({
      myBalances: { total: 1, items: [{ userId: c, balance: '1' }] },
      entries: { total: 1, items: [{ userId: c, type: 'TRANSFER_IN' }] },
      transfers: { total: 1, items: [{ amount: '1' }] },
    });
    expect((await api.ask(userOf(scene, 2), '{ accounts { total } }')).errors).toEqual(['FORBIDDEN']);
  });

  it('read entries row after row, each once', async () => {
    const scene = await makeMoneyScene(world, 2);
    const [a = '', b = ''] = scene.users;
    await scene.fund(a, '10');
    for (let at = 0; at < 4; at += 1) await scene.transfer(a, b, '1');
    const types: string[] = [];
    const page = 'query ($after: ID) { entries(after: $after, size: 2) { total next items { type } } }';
    for (let after: string | null = null, more = true; more;) {
      const { data } = await api.ask(staffOf(scene.tenantId), page, { after });
      const { total, next, items } = data['entries'] as {
        total: number;
        next: string | null;
        items: { type: string }[];
      };
      expect(total).toBe(9);
      types.push(...items.map(({ type }) => type));
      after = next;
      more = next !== null;
    }
    expect(counted(types)).toEqual({ ADJUSTMENT: 1, TRANSFER_OUT: 4, TRANSFER_IN: 4 });
  });
});
