import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BalanceChange } from '../../src/money/ledger.service.js';
import { DomainError } from '../../src/platform/errors.js';
import {
  ledgerOf,
  makeMoneyScene,
  newOrderId,
  outcomeOf,
  USD,
  type MoneyScene,
} from '../support/money-world.js';
import { reconcilerOf, driftsOf } from '../support/reconciliation.js';
import { openWorld, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

const changeOf = (scene: MoneyScene, more: Partial<BalanceChange>): BalanceChange => ({
  userId: scene.users[0] ?? '',
  facilityId: scene.facilityId,
  currency: USD,
  type: 'RECHARGE',
  orderId: newOrderId(),
  amount: '10',
  ...more,
});
const change = async (scene: MoneyScene, more: Partial<BalanceChange> = {}) =>
  world.services.ledger.changeBalance(null, scene.tenantId, changeOf(scene, more));

describe('a change of a balance', () => {
  it('S3.3 is an entry that goes from the last balance to the new one, and its counterpart', async () => {
    const scene = await makeMoneyScene(world, 1);
    await change(scene, { amount: '10.50' });
    const entry = await change(scene, {
      type: 'PAYMENT',
      amount: '-0.75',
      orderId: 'order-7',
      remark: 'Coffee',
      extra: { cup: 1 },
    });
    expect(entry).toMatchObject({
      entryNo: 2,
      type: 'PAYMENT',
      orderId: 'order-7',
      before: '10.5',
      amount: '-0.75',
      after: '9.75',
      remark: 'Coffee',
      extra: { cup: 1 },
    });
    expect(await scene.balance(scene.users[0] ?? '')).toBe('9.75');
    const own = await scene.sql('select purpose, amount from system_entry where tenant_id = ? order by id', [
      scene.tenantId,
    ]);
    expect(own).toEqual([
      { purpose: 'RECHARGE', amount: '-10.5000000000' },
      { purpose: 'REVENUE', amount: '0.7500000000' },
    ]);
    expect(await ledgerOf(scene)).toMatchObject({ entries: 2, accounts: 1, sum: '0', faults: [] });
  });

  it('S3.10 adds 0.1 and 0.2 to exactly 0.3', async () => {
    const scene = await makeMoneyScene(world, 1);
    await change(scene, { amount: '0.1' });
    const { after } = await change(scene, { amount: '0.2' });
    expect(after).toBe('0.3');
    expect(await scene.balance(scene.users[0] ?? '')).toBe('0.3');
  });

  it('S3.10 keeps ten digits after the point, and the largest amount', async () => {
    const scene = await makeMoneyScene(world, 2, { scale: 10 });
    const [small = '', large = ''] = scene.users;
    await change(scene, { userId: small, amount: '0.0000000001' });
    await change(scene, { userId: large, amount: '99999999999999999999.9999999999' });
    expect(await scene.balance(small)).toBe('0.0000000001');
    expect(await scene.balance(large)).toBe('99999999999999999999.9999999999');
    const tooMuch = change(scene, { userId: large, amount: '0.0000000001' });
    expect(await outcomeOf(tooMuch)).toBe('BALANCE_OUT_OF_RANGE');
    expect(await ledgerOf(scene)).toMatchObject({ entries: 2, sum: '0', faults: [] });
  });

  it('S3.2 refuses an overdraft and writes nothing', async () => {
    const scene = await makeMoneyScene(world, 2);
    const [user = '', other = ''] = scene.users;
    await change(scene, { amount: '5' });
    const before = await ledgerOf(scene);
    expect(await outcomeOf(change(scene, { amount: '-5.01' }))).toBe('INSUFFICIENT_BALANCE');
    expect(await outcomeOf(change(scene, { userId: other, amount: '-0.01' }))).toBe('INSUFFICIENT_BALANCE');
    expect(await ledgerOf(scene)).toEqual(before);
    await change(scene, { amount: '-5' });
    expect(await scene.balance(user)).toBe('0');
  });

  it('S3.11 is made once for an order id, and refused with another amount', async () => {
    const scene = await makeMoneyScene(world, 1);
    const first = await change(scene, { orderId: 'once', amount: '7' });
    const again = await change(scene, { orderId: 'once', amount: '7.00' });
    expect(again.id).toBe(first.id);
    expect(await outcomeOf(change(scene, { orderId: 'once', amount: '8' }))).toBe('ORDER_ID_REUSED');
    // A refund is another movement for the same order.
    await change(scene, { orderId: 'once', type: 'REFUND', amount: '1' });
    expect(await ledgerOf(scene)).toMatchObject({ entries: 2, held: '8', sum: '0', faults: [] });
  });

  it.each([
    ['FACILITY_NOT_FOUND', { facilityId: '7' }],
    ['FACILITY_NOT_FOUND', { facilityId: 'none', currency: 'NONE' }],
    ['CURRENCY_NOT_FOUND', { currency: 'NONE', userId: '7' }],
    ['USER_NOT_FOUND', { userId: '7', amount: '0.001' }],
    ['AMOUNT_TOO_PRECISE', { amount: '-0.001' }],
  ])('S3.13 is refused with %s, and nothing is written', async (code, more) => {
    const scene = await makeMoneyScene(world, 1);
    expect(await outcomeOf(change(scene, more))).toBe(code);
    expect(await ledgerOf(scene)).toMatchObject({ entries: 0, accounts: 0, systemEntries: 0 });
  });

  it('reaches a disabled currency and facility, so that orders can be refunded', async () => {
    const scene = await makeMoneyScene(world, 1);
    await world.services.currencies.update(scene.tenantId, USD, { enabled: false });
    await world.services.facilities.update(scene.tenantId, scene.facilityId, { enabled: false });
    await change(scene, { amount: '1' });
    expect(await scene.balance(scene.users[0] ?? '')).toBe('1');
  });

  it('sees the changes before it in one call, also of one order', async () => {
    const scene = await makeMoneyScene(world, 2);
    const [a = '', b = ''] = scene.users;
    const changes = [
      changeOf(scene, { userId: b, orderId: 'x', amount: '3' }),
      changeOf(scene, { userId: a, orderId: 'x', amount: '10' }),
      changeOf(scene, { userId: a, orderId: 'x', type: 'PAYMENT', amount: '-4' }),
      changeOf(scene, { userId: a, orderId: 'x', amount: '10' }),
    ];
    const { ledger } = world.services;
    const entries = await world.services.transactions.run(scene.tenantId, async (em) =>
      ledger.changeBalances(em, scene.tenantId, changes),
    );
    expect(entries.map(({ after }) => after)).toEqual(['3', '10', '6', '10']);
    expect(entries[3]?.id).toBe(entries[1]?.id);
    expect(await ledgerOf(scene)).toMatchObject({ entries: 3, held: '9', sum: '0', faults: [] });
  });
});

describe('an account whose last entry does not match its balance', () => {
  const tampered = async (assignment: string): Promise<MoneyScene> => {
    const scene = await makeMoneyScene(world, 2);
    await scene.fund(scene.users[0] ?? '', '10');
    await scene.sql(`update money_account set ${assignment} where tenant_id = ?`, [scene.tenantId]);
    return scene;
  };
  const halts = async (): Promise<number> =>
    (await world.services.metrics.accountsHalted.get()).values[0]?.value ?? 0;
  const haltedAt = async (scene: MoneyScene): Promise<unknown> =>
    (
      await scene.sql<{ at: unknown }>('select halted_at as at from money_account where tenant_id = ?', [
        scene.tenantId,
      ])
    )[0]?.at;

  it.each(['balance = balance + 1', 'balance = 0', 'entry_no = 0', 'entry_no = entry_no + 1'])(
    'S3.3 is halted, though its change is refused: %s',
    async (assignment) => {
      const scene = await tampered(assignment);
      const before = await halts();
      expect(await outcomeOf(change(scene, { amount: '1' }))).toBe('ACCOUNT_HALTED');
      expect(await haltedAt(scene)).not.toBeNull();
      expect(await halts()).toBe(before + 1);
      expect(await outcomeOf(change(scene, { amount: '1' }))).toBe('ACCOUNT_HALTED');
      expect(await halts()).toBe(before + 1);
      const { tenantId } = scene;
      const report = await reconcilerOf(world).reconciler.run({ tenantId, repair: false });
      expect(driftsOf(report)).toMatchObject({ ACCOUNT_HALTED: 1 });
    },
  );

  it('is halted also by a nested part whose failure is caught', async () => {
    const scene = await tampered('balance = 11');
    const { transactions, ledger } = world.services;
    await transactions.run(scene.tenantId, async (em) => {
      const refused = ledger.changeBalance(em, scene.tenantId, changeOf(scene, {}));
      await expect(refused).rejects.toThrow(DomainError);
    });
    expect(await haltedAt(scene)).not.toBeNull();
  });

  it('is released once it matches, and not before', async () => {
    const scene = await tampered('balance = 11');
    await outcomeOf(change(scene));
    const { accounts } = world.services;
    const [account] = await scene.sql<{ id: string }>(
      'select cast(id as char) as id from money_account where tenant_id = ?',
      [scene.tenantId],
    );
    const release = async () => accounts.release(scene.tenantId, account?.id ?? '');
    expect(await outcomeOf(release())).toBe('ACCOUNT_MISMATCHED');
    await scene.sql('update money_account set balance = 10 where tenant_id = ?', [scene.tenantId]);
    expect(await outcomeOf(change(scene))).toBe('ACCOUNT_HALTED');
    expect(await release()).toMatchObject({ haltedAt: null });
    expect(await outcomeOf(release())).toBe('ACCOUNT_NOT_HALTED');
    expect(await outcomeOf(accounts.release(scene.tenantId, '7'))).toBe('ACCOUNT_NOT_FOUND');
    await change(scene, { amount: '1' });
    expect(await ledgerOf(scene)).toMatchObject({ held: '11', sum: '0', faults: [] });
  });
});
