import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BalanceChange } from '../../src/money/ledger.service.js';
import type { Em } from '../../src/platform/database/orm.js';
import { mysqlErrno } from '../../src/platform/database/sql-errors.js';
import { OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import {
  ledgerOf,
  makeMoneyScene,
  newOrderId,
  outcomeOf,
  USD,
  type MoneyScene,
} from '../support/money-world.js';
import { emOf, openWorld, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

/** Two users with 10 each. */
async function makePair() {
  const scene = await makeMoneyScene(world, 2);
  const [a = '', b = ''] = scene.users;
  await scene.fund(a, '10');
  await scene.fund(b, '10');
  const { tenantId, facilityId } = scene;
  const { ledger, transfers, transactions } = world.services;
  const change = async (em: Em, userId: string, amount: string, more: Partial<BalanceChange> = {}) =>
    ledger.changeBalance(em, tenantId, {
      userId,
      facilityId,
      currency: USD,
      type: 'RECHARGE',
      orderId: newOrderId(),
      amount,
      ...more,
    });
  const transfer = async (em: Em, amount: string, more: Record<string, string> = {}) =>
    transfers.transfer(em, tenantId, a, {
      toUserId: b,
      facilityId,
      currency: USD,
      amount,
      orderId: newOrderId(),
      ...more,
    });
  const run = async <T>(work: (em: Em) => Promise<T>): Promise<T> => transactions.run(tenantId, work);
  const balances = async (): Promise<string[]> => [await scene.balance(a), await scene.balance(b)];
  return { scene, a, b, change, transfer, run, balances };
}

const events = async ({ tenantId }: MoneyScene): Promise<number> =>
  emOf(world, tenantId).count(OutboxEvent, { type: 'transfer_made' });

describe('S3.4 money inside a transaction of the caller', () => {
  it('undoes a refused change only, where the caller catches it', async () => {
    const { scene, a, b, change, run, balances } = await makePair();
    await run(async (em) => {
      await change(em, a, '1');
      await expect(change(em, b, '-99')).rejects.toMatchObject({ code: 'INSUFFICIENT_BALANCE' });
      await change(em, b, '2');
    });
    expect(await balances()).toEqual(['11', '12']);
    expect(await ledgerOf(scene)).toMatchObject({ entries: 4, sum: '0', faults: [] });
  });

  it('undoes everything where the caller fails afterwards', async () => {
    const { scene, a, change, transfer, run, balances } = await makePair();
    const before = await ledgerOf(scene);
    const outer = run(async (em) => {
      await change(em, a, '1');
      await transfer(em, '5');
      throw new Error('outer');
    });
    await expect(outer).rejects.toThrow('outer');
    expect(await balances()).toEqual(['10', '10']);
    expect(await ledgerOf(scene)).toEqual(before);
    expect(await events(scene)).toBe(0);
  });

  it('makes a transfer of the caller with one event, and a refused one with none', async () => {
    const { scene, transfer, run, balances } = await makePair();
    await run(async (em) => {
      await transfer(em, '4');
      await expect(transfer(em, '7')).rejects.toMatchObject({ code: 'INSUFFICIENT_BALANCE' });
    });
    expect(await balances()).toEqual(['6', '14']);
    expect(await events(scene)).toBe(1);
    expect(await ledgerOf(scene)).toMatchObject({ transfers: 1, sum: '0', faults: [] });
  });

  it('makes no account where the first change of a user is refused', async () => {
    const scene = await makeMoneyScene(world, 1);
    const { ledger, transactions } = world.services;
    const [userId = ''] = scene.users;
    const place = { userId, facilityId: scene.facilityId, currency: USD };
    await transactions.run(scene.tenantId, async (em) => {
      const change = { ...place, type: 'PAYMENT', orderId: 'x', amount: '-1' } as const;
      expect(await outcomeOf(ledger.changeBalance(em, scene.tenantId, change))).toBe('INSUFFICIENT_BALANCE');
    });
    expect(await ledgerOf(scene)).toMatchObject({ accounts: 0, entries: 0 });
  });

  it('S3.11 reads back an order id that another transaction has just used', async () => {
    const { scene, a, transfer, run } = await makePair();
    await world.services.currencies.create(scene.tenantId, { code: 'GOLD', name: 'Gold', scale: 0 });
    await scene.fund(a, '9', { currency: 'GOLD' });
    const { promise: made, resolve: isMade } = Promise.withResolvers<void>();
    const { promise: mayCommit, resolve: commit } = Promise.withResolvers<void>();
    const first = run(async (em) => {
      await transfer(em, '1', { orderId: 'once' });
      isMade();
      await mayCommit;
    });
    await made;
    const second = run(async (em) => outcomeOf(transfer(em, '1', { orderId: 'once', currency: 'GOLD' })));
    await pause(50);
    commit();
    await first;
    expect(await second).toBe('ORDER_ID_REUSED');
    expect(await ledgerOf(scene)).toMatchObject({ transfers: 1, sum: '0', faults: [] });
  });
});

describe('S3.14 a deadlock inside a nested change', () => {
  it('that the caller catches leaves nothing behind, and the whole runs again', async () => {
    const { scene, a, b, change, run, balances } = await makePair();
    const rename = async (em: Em, name: string): Promise<unknown> =>
      em.execute('update facility set name = ? where tenant_id = ?', [name, scene.tenantId]);
    const { promise: holds, resolve: nowHolds } = Promise.withResolvers<void>();
    const { promise: go, resolve: wants } = Promise.withResolvers<void>();
    // It has changed more rows, so that the server undoes the other one.
    const rival = run(async (em) => {
      for (let at = 0; at < 5; at += 1) await change(em, b, '1');
      nowHolds();
      await go;
      await rename(em, 'rival');
    });
    await holds;
    let attempt = 0;
    const caught: unknown[] = [];
    await run(async (em) => {
      attempt += 1;
      await change(em, a, '1');
      await rename(em, 'mine');
      if (attempt === 1) {
        wants();
        await pause(100);
      }
      await change(em, b, '100').catch((error: unknown) => caught.push(mysqlErrno(error)));
    });
    await rival;
    expect(attempt).toBe(2);
    expect(caught).toEqual([1213]);
    expect(await balances()).toEqual(['11', '115']);
    expect(await ledgerOf(scene)).toMatchObject({ entries: 9, sum: '0', faults: [] });
  });
});
