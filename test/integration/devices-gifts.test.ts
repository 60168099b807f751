import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Device } from '../../src/identity/devices/device.entity.js';
import { Account } from '../../src/money/account.entity.js';
import { UserCoupon } from '../../src/orders/coupons/user-coupon.entity.js';
import { PointsAccount } from '../../src/orders/points/points.entity.js';
import { newIdentifier } from '../support/devices.js';
import { makeMoneyScene, newOrderId, USD } from '../support/money-world.js';
import { refusedBy } from '../support/staff-world.js';
import { emOf, openWorld, type World } from '../support/world.js';

const ROUNDS = 20;

let world: World;
let other: World;
beforeAll(async () => {
  [world, other] = await Promise.all([openWorld(), openWorld()]);
});
afterAll(async () => Promise.all([world?.close(), other?.close()]));

/** What staff give users, and how much of it a user holds. */
async function giftScene() {
  const { tenantId, facilityId } = await makeMoneyScene(world, 0);
  const { couponTemplates, couponIssues, pointsGrants, accounts, settingChanges } = world.services;
  await settingChanges.update(tenantId, { auth: { deviceSignInEnabled: true } });
  const { id: templateId } = await couponTemplates.create(tenantId, {
    name: 'Gift',
    kind: 'AMOUNT',
    currency: USD,
    amount: '5',
  });
  const place = { facilityId, currency: USD };
  const gifts: Record<string, (userId: string, key?: string) => Promise<unknown>> = {
    points: async (userId, idempotencyKey) =>
      pointsGrants.grant(tenantId, { userId, amount: 1, idempotencyKey }),
    'a coupon': async (userId, idempotencyKey) =>
      couponIssues.issue(tenantId, { userId, templateId, idempotencyKey }),
    'a balance': async (userId, orderId = newOrderId()) =>
      accounts.adjust(tenantId, 'eve', { ...place, userId, amount: '1', orderId, remark: 'A gift' }),
  };
  const holdings = async (userId: string): Promise<number> => {
    const em = emOf(world, tenantId);
    const counts = [
      await em.count(PointsAccount, { userId, balance: 1 }),
      await em.count(UserCoupon, { userId }),
      await em.count(Account, { userId, balance: '1' }),
    ];
    return counts.reduce((sum, count) => sum + count, 0);
  };
  return { tenantId, facilityId, gifts, holdings };
}

const signedIn = async (tenantId: string) =>
  world.services.deviceLogins.login({ tenantId, ip: '127.0.0.1' }, { identifier: newIdentifier() });

const unbind = async (
  tenantId: string,
  { userId, deviceId }: { userId: string; deviceId: string },
  by = world,
) => refusedBy(by.services.deviceChanges.unbind(tenantId, userId, deviceId));

describe('S1.12: what staff give a user whose last device is unbound', () => {
  it('in the same moment: one of the two is refused, so that nothing belongs to a user without a way in', async () => {
    const { tenantId, gifts, holdings } = await giftScene();
    for (const [name, give] of Object.entries(gifts)) {
      const outcomes: Record<string, number> = {};
      for (let round = 0; round < ROUNDS; round += 1) {
        const device = await signedIn(tenantId);
        const { userId } = device;
        const [given, unbound] = await Promise.all([
          refusedBy(give(userId)),
          unbind(tenantId, device, other),
        ]);
        const both = `${given} ${unbound}`;
        outcomes[both] = (outcomes[both] ?? 0) + 1;
        const bound = await emOf(world, tenantId).count(Device, { userId, unboundAt: null });
        expect([name, both, await holdings(userId)]).toEqual([name, both, bound]);
      }
      expect(['TAKEN USER_WOULD_BE_ORPHANED', 'USER_DISABLED TAKEN']).toEqual(
        expect.arrayContaining(Object.keys(outcomes)),
      );
    }
  });

  it('behind the check of the unbinding is refused, and what was given before is answered again', async () => {
    const { tenantId, gifts, holdings } = await giftScene();
    const { userHoldings, userChanges } = world.services;
    for (const [name, give] of Object.entries(gifts)) {
      const device = await signedIn(tenantId);
      const { userId } = device;
      const attempts: Promise<string>[] = [];
      // The last check of the unbinding: all others have found nothing.
      userHoldings.push({
        name: 'nothing',
        isHeld: async () => {
          attempts.push(refusedBy(give(userId)));
          await pause(300);
          return false;
        },
      });
      const unbound = await unbind(tenantId, device).finally(() => userHoldings.pop());
      expect([name, unbound, ...(await Promise.all(attempts))]).toEqual([name, 'TAKEN', 'USER_DISABLED']);
      expect([name, await holdings(userId)]).toEqual([name, 0]);
      const again = await signedIn(tenantId);
      const repeated = async (): Promise<string> => refusedBy(give(again.userId, 'the-key'));
      expect(await repeated()).toBe('TAKEN');
      await userChanges.update(tenantId, { userId: again.userId, status: 'DISABLED' });
      expect([name, await repeated(), await holdings(again.userId)]).toEqual([name, 'TAKEN', 1]);
      expect([name, await refusedBy(give(again.userId))]).toEqual([name, 'USER_DISABLED']);
    }
  });

  it('may be taken from a disabled user', async () => {
    const { tenantId, facilityId } = await giftScene();
    const { accounts, userChanges } = world.services;
    const { userId } = await signedIn(tenantId);
    const adjust = async (amount: string) =>
      accounts.adjust(tenantId, 'eve', {
        userId,
        facilityId,
        currency: USD,
        amount,
        orderId: newOrderId(),
        remark: 'A test',
      });
    await adjust('5');
    await userChanges.update(tenantId, { userId, status: 'DISABLED' });
    expect(await refusedBy(adjust('0.01'))).toBe('USER_DISABLED');
    expect((await adjust('-5')).after).toBe('0');
  });
});
