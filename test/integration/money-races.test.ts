import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Money } from '../../src/platform/decimal.js';
import { eachOf } from '../../src/platform/scheduling/each-of.js';
import {
  counted,
  ledgerOf,
  makeMoneyScene,
  outcomeOf,
  USD,
  type MoneyScene,
} from '../support/money-world.js';
import { driftsOf, reconcilerOf } from '../support/reconciliation.js';
import { openWorld, type World } from '../support/world.js';

let world: World;
/** Plays a second process on the same stores. */
let other: World;
beforeAll(async () => {
  world = await openWorld();
  other = await openWorld();
});
afterAll(async () => {
  await world?.close();
  await other?.close();
});

const SIDES = 50;
const worldOf = (side: number): World => (side % 2 === 0 ? world : other);

const transferFrom = async (
  side: number,
  scene: MoneyScene,
  from: string,
  input: { toUserId: string; amount: string; orderId: string; currency?: string; facilityId?: string },
) =>
  worldOf(side).services.transfers.transfer(null, scene.tenantId, from, {
    facilityId: scene.facilityId,
    currency: USD,
    ...input,
  });

async function expectSound(scene: MoneyScene): Promise<void> {
  const { tenantId } = scene;
  const report = await reconcilerOf(world).reconciler.run({ tenantId, repair: false });
  // No worker handles events here.
  const { EVENT_UNHANDLED: _, ...drifts } = driftsOf(report);
  expect(drifts).toEqual({});
}

describe('many at once', () => {
  it('S3.12 make 1,000 opposing transfers between six accounts, each once, and the total is conserved', async () => {
    const scene = await makeMoneyScene(world, 6, { feeRate: '0.01' });
    for (const user of scene.users) await scene.fund(user, '1000');
    const outcomes: string[] = [];
    const wishes = Array.from({ length: 1000 }, (_, at) => at);
    await eachOf(wishes, 16, async (at) => {
      const from = scene.users[at % 6] ?? '';
      const toUserId = scene.users[(at + 1 + (at % 5)) % 6] ?? '';
      const input = { toUserId, amount: '1', orderId: `t-${at}` };
      outcomes.push(await outcomeOf(transferFrom(at, scene, from, input)));
    });
    expect(counted(outcomes)).toEqual({ OK: 1000 });
    expect(await ledgerOf(scene)).toEqual({
      entries: 2006,
      accounts: 6,
      systemEntries: 1006,
      transfers: 1000,
      held: '5990',
      sum: '0',
      faults: [],
    });
    await expectSound(scene);
  }, 240_000);

  it('S3.1 make one account of a user who had none, and every change counts', async () => {
    const scene = await makeMoneyScene(world, 1);
    const [userId = ''] = scene.users;
    const sides = Array.from({ length: SIDES }, async (_, side) => {
      const place = { userId, facilityId: scene.facilityId, currency: USD };
      const change = { ...place, type: 'RECHARGE', orderId: `r-${side}`, amount: '2' } as const;
      return outcomeOf(worldOf(side).services.ledger.changeBalance(null, scene.tenantId, change));
    });
    expect(counted(await Promise.all(sides))).toEqual({ OK: SIDES });
    expect(await ledgerOf(scene)).toMatchObject({
      accounts: 1,
      entries: SIDES,
      held: '100',
      sum: '0',
      faults: [],
    });
    await expectSound(scene);
  });

  it('S3.1 make one account of a recipient who had none', async () => {
    const scene = await makeMoneyScene(world, SIDES + 1);
    const [recipient = '', ...senders] = scene.users;
    for (const sender of senders) await scene.fund(sender, '1');
    const sides = senders.map(async (from, side) =>
      outcomeOf(transferFrom(side, scene, from, { toUserId: recipient, amount: '1', orderId: 'same' })),
    );
    expect(counted(await Promise.all(sides))).toEqual({ OK: SIDES });
    expect(await scene.balance(recipient)).toBe(String(SIDES));
    await expectSound(scene);
  });

  it('S3.8 get exactly as many transfers as the day allows, from 50 sides and two facilities', async () => {
    const scene = await makeMoneyScene(world, 2, { dailyCountMax: 7 });
    const [from = '', toUserId = ''] = scene.users;
    const { id: branch } = await world.services.facilities.create(scene.tenantId, { name: 'Branch' });
    await scene.fund(from, '1000');
    await scene.fund(from, '1000', { facilityId: branch });
    const sides = Array.from({ length: SIDES }, async (_, side) => {
      const facilityId = side % 3 === 0 ? branch : scene.facilityId;
      return outcomeOf(
        transferFrom(side, scene, from, { toUserId, amount: '1', orderId: `o-${side}`, facilityId }),
      );
    });
    expect(counted(await Promise.all(sides))).toEqual({ OK: 7, DAILY_COUNT_EXCEEDED: SIDES - 7 });
    expect(await ledgerOf(scene)).toMatchObject({ transfers: 7, sum: '0', faults: [] });
    await expectSound(scene);
  });

  it('S3.7 get no more than the sum that the day allows', async () => {
    const scene = await makeMoneyScene(world, 2, { dailySumMax: '10' });
    const [from = '', toUserId = ''] = scene.users;
    await scene.fund(from, '1000');
    const sides = Array.from({ length: SIDES }, async (_, side) =>
      outcomeOf(transferFrom(side, scene, from, { toUserId, amount: '3', orderId: `o-${side}` })),
    );
    expect(counted(await Promise.all(sides))).toEqual({ OK: 3, DAILY_SUM_EXCEEDED: SIDES - 3 });
    await expectSound(scene);
  });

  it('S3.11 move money once for one order id, and all get the first result', async () => {
    const scene = await makeMoneyScene(world, 2);
    const [from = '', toUserId = ''] = scene.users;
    await scene.fund(from, '5');
    const input = { toUserId, amount: '5', orderId: 'once' };
    const sides = Array.from({ length: SIDES }, async (_, side) => transferFrom(side, scene, from, input));
    const made = await Promise.all(sides);
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    expect(await ledgerOf(scene)).toMatchObject({
      transfers: 1,
      entries: 3,
      held: '5',
      sum: '0',
      faults: [],
    });
  });

  it('S3.11 move money once for one order id in several currencies and facilities', async () => {
    const scene = await makeMoneyScene(world, 2);
    const [from = '', toUserId = ''] = scene.users;
    const codes = ['AA', 'BB', 'CC', 'DD'];
    for (const code of codes) {
      await world.services.currencies.create(scene.tenantId, { code, name: code, scale: 0 });
      await scene.fund(from, '9', { currency: code });
    }
    const sides = Array.from({ length: SIDES }, async (_, side) => {
      const currency = codes[side % codes.length] ?? '';
      const input = { toUserId, amount: '9', orderId: 'once', currency };
      return outcomeOf(transferFrom(Math.floor(side / 4), scene, from, input));
    });
    const outcomes = counted(await Promise.all(sides));
    // All of the currency that came first get its result.
    const same = Math.ceil(SIDES / codes.length);
    expect([same, same - 1]).toContain(outcomes['OK']);
    expect(outcomes).toEqual({ OK: outcomes['OK'], ORDER_ID_REUSED: SIDES - (outcomes['OK'] ?? 0) });
    expect(await ledgerOf(scene)).toMatchObject({ transfers: 1, sum: '0', faults: [] });
    await expectSound(scene);
  });

  it('S3.2 spend a balance once, whichever way', async () => {
    const scene = await makeMoneyScene(world, 3);
    const [from = '', ...others] = scene.users;
    await scene.fund(from, '10');
    const sides = Array.from({ length: SIDES }, async (_, side) => {
      const toUserId = others[side % 2] ?? '';
      return outcomeOf(transferFrom(side, scene, from, { toUserId, amount: '3', orderId: `o-${side}` }));
    });
    expect(counted(await Promise.all(sides))).toEqual({ OK: 3, INSUFFICIENT_BALANCE: SIDES - 3 });
    expect(await scene.balance(from)).toBe('1');
    const gotten = await Promise.all(others.map(async (user) => scene.balance(user)));
    const sum = gotten.reduce((total, one) => (one === 'none' ? total : total.plus(one)), new Money(0));
    expect(sum.toFixed()).toBe('9');
    await expectSound(scene);
  });

  it('S3.12 lock no account but their own, whatever else is locked', async () => {
    const scene = await makeMoneyScene(world, 12);
    for (const user of scene.users) await scene.fund(user, '1');
    const [from = '', to = ''] = [scene.users[4], scene.users[8]];
    const others = scene.users.filter((user) => user !== from && user !== to);
    await world.services.transactions.run(scene.tenantId, async (em) => {
      await em.execute('select * from money_account where tenant_id = ? and user_id in (?) for update', [
        scene.tenantId,
        others,
      ]);
      await transferFrom(1, scene, from, { toUserId: to, amount: '1', orderId: 'free' });
      const place = { facilityId: scene.facilityId, currency: USD, type: 'RECHARGE' } as const;
      const changes = [from, to].map((userId) => ({ ...place, userId, orderId: 'many', amount: '1' }));
      await other.services.transactions.run(scene.tenantId, async (second) =>
        other.services.ledger.changeBalances(second, scene.tenantId, changes),
      );
    });
    expect([await scene.balance(from), await scene.balance(to)]).toEqual(['1', '3']);
  });

  it('answer that the database did not answer in time where an account stays locked, and move nothing', async () => {
    const scene = await makeMoneyScene(world, 2);
    const [from = '', to = ''] = scene.users;
    await scene.fund(from, '1');
    await world.services.transactions.run(scene.tenantId, async (em) => {
      const sql = 'select * from money_account where tenant_id = ? and user_id = ? for update';
      await em.execute(sql, [scene.tenantId, from]);
      const waiting = outcomeOf(transferFrom(1, scene, from, { toUserId: to, amount: '1', orderId: 'late' }));
      // The server ends transactions in which nothing is asked for ten seconds.
      const alive = setInterval(() => void em.execute('select 1'), 3000);
      expect(await waiting).toContain('StoreUnavailableError');
      clearInterval(alive);
    });
    expect(await ledgerOf(scene)).toMatchObject({ transfers: 0, entries: 1 });
  }, 60_000);
});
