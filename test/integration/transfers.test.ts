import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TransferService } from '../../src/money/transfer.service.js';
import { OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import {
  ledgerOf,
  makeMoneyScene,
  newOrderId,
  outcomeOf,
  USD,
  type MoneyScene,
} from '../support/money-world.js';
import { emOf, openWorld, seedUser, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

/** Two users, the first with a balance of 100. */
async function funded(currency: Record<string, unknown> = {}) {
  const scene = await makeMoneyScene(world, 2, currency);
  const [from = '', to = ''] = scene.users;
  await scene.fund(from, '100');
  return { scene, from, to, send: async (amount: string) => scene.transfer(from, to, amount) };
}

/** Nothing more than the 100 of the beginning. */
async function expectUntouched(scene: MoneyScene): Promise<void> {
  const ledger = await ledgerOf(scene);
  expect(ledger).toMatchObject({
    entries: 1,
    accounts: 1,
    systemEntries: 1,
    transfers: 0,
    held: '100',
    sum: '0',
  });
  const days = await scene.sql('select * from transfer_day where tenant_id = ?', [scene.tenantId]);
  expect(days).toEqual([]);
}

describe('a transfer', () => {
  it('S3.5 writes debit, credit, fee, record and one event, and conserves the total', async () => {
    const { scene, from, to } = await funded({ feeRate: '0.015' });
    const transfer = await scene.transfer(from, to, '40', { orderId: 'rent' });
    expect(transfer).toMatchObject({
      orderId: 'rent',
      fromUserId: from,
      toUserId: to,
      amount: '40',
      fee: '0.6',
      net: '39.4',
    });
    expect([await scene.balance(from), await scene.balance(to)]).toEqual(['60', '39.4']);
    expect(await ledgerOf(scene)).toEqual({
      entries: 3,
      accounts: 2,
      systemEntries: 2,
      transfers: 1,
      held: '99.4',
      sum: '0',
      faults: [],
    });
    const fees = await scene.sql(`select amount from system_entry where tenant_id = ? and purpose = 'FEE'`, [
      scene.tenantId,
    ]);
    expect(fees).toEqual([{ amount: '0.6000000000' }]);
    const events = await emOf(world, scene.tenantId).find(OutboxEvent, { type: 'transfer_made' });
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ userId: from, payload: { toUserId: to, amount: '40', net: '39.4' } });
  });

  it('S3.10 rounds the fee at the scale of the currency, a half to the even digit', async () => {
    const { scene, from, to } = await funded({ feeRate: '0.125', scale: 2 });
    const fees = ['0.2', '0.28', '0.36', '0.44', '1'];
    const made = [];
    for (const amount of fees) made.push(await scene.transfer(from, to, amount));
    // 0.025, 0.035, 0.045, 0.055, 0.125
    expect(made.map((transfer) => (transfer as { fee: string }).fee)).toEqual([
      '0.02',
      '0.04',
      '0.04',
      '0.06',
      '0.12',
    ]);
    expect(await ledgerOf(scene)).toMatchObject({ sum: '0', faults: [], held: '99.72' });
  });

  it('moves whole units of a currency without digits', async () => {
    const { scene, from, to } = await funded({ scale: 0, feeRate: '0.5' });
    expect(await scene.transfer(from, to, '3')).toMatchObject({ fee: '2', net: '1' });
    expect(await outcomeOf(scene.transfer(from, to, '2.5'))).toBe('AMOUNT_TOO_PRECISE');
    expect(await ledgerOf(scene)).toMatchObject({ transfers: 1, sum: '0' });
  });

  it.each([
    ['AMOUNT_MALFORMED', '0', {}],
    ['AMOUNT_MALFORMED', '-1', {}],
    ['AMOUNT_MALFORMED', '1e2', {}],
    ['AMOUNT_MALFORMED', 'NaN', {}],
    ['AMOUNT_MALFORMED', '0.00000000001', {}],
    ['ORDER_ID_MALFORMED', '1', { orderId: '' }],
    ['ORDER_ID_MALFORMED', '1', { orderId: 'a b' }],
    ['ORDER_ID_MALFORMED', '0', { orderId: 'x'.repeat(65) }],
    ['FACILITY_NOT_FOUND', '1', { facilityId: '7', currency: 'NONE' }],
    ['FACILITY_NOT_FOUND', '1', { facilityId: 'shop' }],
    ['CURRENCY_NOT_FOUND', '1', { currency: 'NONE' }],
    ['AMOUNT_TOO_PRECISE', '1.001', {}],
    ['INSUFFICIENT_BALANCE', '100.01', {}],
  ])('S3.9 S3.13 is refused with %s for %s %j, and nothing is written', async (code, amount, more) => {
    const { scene, from, to } = await funded();
    expect(await outcomeOf(scene.transfer(from, to, amount, more))).toBe(code);
    await expectUntouched(scene);
  });

  it('S3.9 S3.13 is refused to oneself, to users that are not there, and above the limit of one', async () => {
    const { scene, from, to } = await funded({ transferMax: '50' });
    expect(await outcomeOf(scene.transfer(from, from, '1'))).toBe('TRANSFER_TO_ONESELF');
    expect(await outcomeOf(scene.transfer(from, '7', '1'))).toBe('RECIPIENT_NOT_FOUND');
    expect(await outcomeOf(scene.transfer(from, 'bob', '1'))).toBe('RECIPIENT_NOT_FOUND');
    const elsewhere = await makeMoneyScene(world, 1);
    expect(await outcomeOf(scene.transfer(from, elsewhere.users[0] ?? '', '1'))).toBe('RECIPIENT_NOT_FOUND');
    expect(await outcomeOf(scene.transfer(from, to, '50.01'))).toBe('TRANSFER_MAX_EXCEEDED');
    await expectUntouched(scene);
    await scene.transfer(from, to, '50');
  });

  it('S3.13 is refused where facility, recipient or currency are disabled', async () => {
    const { scene, from, to } = await funded();
    const { tenantId, facilityId } = scene;
    const { currencies, facilities, userChanges } = world.services;
    await facilities.update(tenantId, facilityId, { enabled: false });
    await currencies.update(tenantId, USD, { enabled: false });
    await userChanges.update(tenantId, { userId: to, status: 'DISABLED' });
    expect(await outcomeOf(scene.transfer(from, to, '1'))).toBe('FACILITY_DISABLED');
    await facilities.update(tenantId, facilityId, { enabled: true });
    expect(await outcomeOf(scene.transfer(from, to, '1'))).toBe('RECIPIENT_DISABLED');
    await userChanges.update(tenantId, { userId: to, status: 'ACTIVE' });
    expect(await outcomeOf(scene.transfer(from, to, '1'))).toBe('CURRENCY_DISABLED');
    await expectUntouched(scene);
  });

  it('S3.9 is refused where the fee would leave nothing', async () => {
    const { scene, from, to } = await funded({ feeRate: '0.9' });
    expect(await outcomeOf(scene.transfer(from, to, '0.01'))).toBe('NET_NOT_POSITIVE');
    await expectUntouched(scene);
    expect(await scene.transfer(from, to, '0.1')).toMatchObject({ fee: '0.09', net: '0.01' });
  });

  it('S3.6 leaves the sender as it was where the credit fails', async () => {
    const { scene, from, to } = await funded();
    await scene.fund(to, '1');
    await scene.sql('update money_account set balance = 2 where tenant_id = ? and user_id = ?', [
      scene.tenantId,
      to,
    ]);
    expect(await outcomeOf(scene.transfer(from, to, '10'))).toBe('ACCOUNT_HALTED');
    expect(await scene.balance(from)).toBe('100');
    expect(await ledgerOf(scene)).toMatchObject({ entries: 2, transfers: 0 });
  });
});

describe('an order id', () => {
  it('S3.11 moves money once, and answers the first result for ever', async () => {
    const { scene, from, to } = await funded({ feeRate: '0.01', dailyCountMax: 1 });
    const first = await scene.transfer(from, to, '60', { orderId: 'once' });
    // Neither the balance nor the limit allow a second one.
    await world.services.currencies.update(scene.tenantId, USD, { enabled: false, feeRate: '0.5' });
    const again = await scene.transfer(from, to, '60.00', { orderId: 'once' });
    expect(again).toMatchObject({ id: (first as { id: string }).id, fee: '0.6000000000' });
    expect(await ledgerOf(scene)).toMatchObject({ transfers: 1, entries: 3, sum: '0', faults: [] });
  });

  it('S3.11 is refused with any other argument, also another currency or facility', async () => {
    const { scene, from, to } = await funded();
    const { tenantId } = scene;
    await world.services.currencies.create(tenantId, { code: 'GOLD', name: 'Gold', scale: 0 });
    const { id: branch } = await world.services.facilities.create(tenantId, { name: 'Branch' });
    await scene.fund(from, '100', { currency: 'GOLD' });
    await scene.fund(from, '100', { facilityId: branch });
    const third = await seedUser(world, tenantId);
    await scene.transfer(from, to, '10', { orderId: 'once' });
    const before = await ledgerOf(scene);
    const others = [
      scene.transfer(from, to, '11', { orderId: 'once' }),
      scene.transfer(from, third, '10', { orderId: 'once' }),
      scene.transfer(from, to, '10', { orderId: 'once', currency: 'GOLD' }),
      scene.transfer(from, to, '10', { orderId: 'once', facilityId: branch }),
      scene.transfer(from, to, '10', { orderId: 'once', facilityId: '7' }),
    ];
    expect(await Promise.all(others.map(outcomeOf))).toEqual(Array(5).fill('ORDER_ID_REUSED'));
    expect(await ledgerOf(scene)).toEqual(before);
  });

  it("S3.11 is each sender's own: two may use the same, to the same recipient", async () => {
    const { scene, from, to } = await funded();
    const third = await seedUser(world, scene.tenantId);
    await scene.fund(third, '100');
    await scene.transfer(from, to, '10', { orderId: '1' });
    await scene.transfer(third, to, '20', { orderId: '1' });
    expect(await scene.balance(to)).toBe('30');
  });
});

describe('a daily limit', () => {
  it('S3.7 counts this transfer: at the sum it is made, 0.01 above it is refused', async () => {
    const { scene, from, to } = await funded({ dailySumMax: '50' });
    await scene.transfer(from, to, '20');
    expect(await outcomeOf(scene.transfer(from, to, '30.01'))).toBe('DAILY_SUM_EXCEEDED');
    await scene.transfer(from, to, '30');
    expect(await outcomeOf(scene.transfer(from, to, '0.01'))).toBe('DAILY_SUM_EXCEEDED');
    expect(await ledgerOf(scene)).toMatchObject({ transfers: 2, held: '100' });
  });

  it('S3.8 lets N transfers a day through and not N+1, of each currency and each sender', async () => {
    const { scene, from, to, send } = await funded({ dailyCountMax: 2 });
    const { tenantId } = scene;
    await world.services.currencies.create(tenantId, {
      code: 'GOLD',
      name: 'Gold',
      scale: 0,
      dailyCountMax: 1,
    });
    const { id: branch } = await world.services.facilities.create(tenantId, { name: 'Branch' });
    await scene.fund(from, '9', { currency: 'GOLD' });
    await scene.fund(from, '9', { facilityId: branch });
    await send('1');
    await scene.transfer(from, to, '1', { facilityId: branch });
    expect(await outcomeOf(send('1'))).toBe('DAILY_COUNT_EXCEEDED');
    await scene.transfer(from, to, '1', { currency: 'GOLD' });
    expect(await outcomeOf(scene.transfer(from, to, '1', { currency: 'GOLD' }))).toBe('DAILY_COUNT_EXCEEDED');
    await scene.transfer(to, from, '1');
  });

  it('counts what was transferred before the limit was set, and forgets none of it', async () => {
    const { scene, send } = await funded();
    await send('1');
    await send('1');
    await world.services.currencies.update(scene.tenantId, USD, { dailyCountMax: 3, dailySumMax: '10' });
    await send('1');
    expect(await outcomeOf(send('1'))).toBe('DAILY_COUNT_EXCEEDED');
    await world.services.currencies.update(scene.tenantId, USD, { dailyCountMax: null });
    expect(await outcomeOf(send('7.01'))).toBe('DAILY_SUM_EXCEEDED');
    await send('7');
  });

  /** Transfers at instants, with a limit of one a day. */
  async function onClock(timeZone: string) {
    const { scene, from, to } = await funded({ dailyCountMax: 1 });
    const clock = { at: '', nowMs: () => Date.parse(clock.at) };
    const transfers = new TransferService({ ...world.services, clock, timeZone });
    const input = { toUserId: to, facilityId: scene.facilityId, currency: USD, amount: '1' };
    return async (at: string): Promise<string> => {
      clock.at = at;
      return outcomeOf(transfers.transfer(null, scene.tenantId, from, { ...input, orderId: newOrderId() }));
    };
  }

  it('S3.8 starts at midnight of the set zone, which belongs to the new day', async () => {
    const at = await onClock('Asia/Shanghai');
    expect(await at('2026-03-01T15:59:59.999Z')).toBe('OK');
    expect(await at('2026-03-01T16:00:00.000Z')).toBe('OK');
    expect(await at('2026-03-02T15:59:59.999Z')).toBe('DAILY_COUNT_EXCEEDED');
    expect(await at('2026-03-02T16:00:00.000Z')).toBe('OK');
  });

  it('lasts 23 or 25 hours where clocks are changed', async () => {
    const at = await onClock('Europe/Berlin');
    // 29 March 2026 has 23 hours, 25 October 25.
    expect(await at('2026-03-28T23:00:00Z')).toBe('OK');
    expect(await at('2026-03-29T21:59:59Z')).toBe('DAILY_COUNT_EXCEEDED');
    expect(await at('2026-03-29T22:00:00Z')).toBe('OK');
    expect(await at('2026-10-24T22:00:00Z')).toBe('OK');
    expect(await at('2026-10-25T22:59:59Z')).toBe('DAILY_COUNT_EXCEEDED');
    expect(await at('2026-10-25T23:00:00Z')).toBe('OK');
  });

  it('does not start again when the clock goes back', async () => {
    const at = await onClock('UTC');
    expect(await at('2026-03-02T00:00:01Z')).toBe('OK');
    expect(await at('2026-03-01T23:59:59Z')).toBe('DAILY_COUNT_EXCEEDED');
    expect(await at('2026-03-02T00:00:02Z')).toBe('DAILY_COUNT_EXCEEDED');
    expect(await at('2026-03-03T00:00:00Z')).toBe('OK');
  });
});
