import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { AuthMethod, Device } from '../../src/identity/devices/device.entity.js';
import { User } from '../../src/identity/users/user.entity.js';
import { UserCoupon } from '../../src/orders/coupons/user-coupon.entity.js';
import { PointsAccount } from '../../src/orders/points/points.entity.js';
import { Account } from '../../src/money/account.entity.js';
import { OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import { Subscription } from '../../src/subscriptions/subscription.entity.js';
import { newIdentifier, newSecret, seedDeviceTenant } from '../support/devices.js';
import { makeMoneyScene } from '../support/money-world.js';
import { emOf, openWorld, outcomeOf, redeem, seedCampaign, type World } from '../support/world.js';

let world: World;
let other: World;
beforeAll(async () => {
  world = await openWorld();
  other = await openWorld();
});
afterAll(async () => {
  await world?.close();
  await other?.close();
});

const NOW = new Date(1_790_000_000_000);
const LATER = new Date(4_000_000_000_000);

async function signedIn(tenantId: string, more: object = {}, by: World = world) {
  const input = { identifier: newIdentifier(), secret: newSecret(), ...more };
  const session = await by.services.deviceLogins.login({ tenantId, ip: '127.0.0.1' }, input);
  return { ...input, ...session };
}

/** What an attempt came to: OK, or the code of the refusal. */
async function outcome(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'OK',
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  );
}

const unbind = async (tenantId: string, owner: string | null, deviceId: string, by: World = world) =>
  outcome(by.services.deviceChanges.unbind(tenantId, owner, deviceId));

async function snapshot(tenantId: string) {
  const em = emOf(world, tenantId);
  const events = { type: 'session_revoked' };
  return {
    devices: await em.find(Device, {}, { disableIdentityMap: true }),
    methods: await em.count(AuthMethod, {}),
    users: await em.find(User, {}, { disableIdentityMap: true }),
    events: await em.count(OutboxEvent, events),
  };
}

describe('S1.12: unbinding', () => {
  it('takes the device from its user: its sessions end, and its identifier signs up again as another user', async () => {
    const { tenantId } = await seedDeviceTenant(world);
    const first = await signedIn(tenantId);
    const { userId, deviceId, identifier, secret, sessionId } = first;
    expect(await unbind(tenantId, userId, deviceId)).toBe('OK');
    const subject = { tenantId, userId, sessionId };
    expect(await world.services.access.refusalOf(subject)).not.toBeNull();
    expect(await outcome(world.services.deviceSessions.refresh(first.refreshToken))).toBe('SESSION_ENDED');
    expect(await unbind(tenantId, userId, deviceId)).toBe('DEVICE_NOT_FOUND');
    const again = await signedIn(tenantId, { identifier, secret });
    expect(again.isNewUser).toBe(true);
    expect(again.userId).not.toBe(userId);
    const [event] = await emOf(world, tenantId).find(OutboxEvent, { type: 'session_revoked' });
    expect(event).toMatchObject({
      userId,
      payload: { deviceId, sessionIds: [sessionId], reason: 'UNBOUND' },
    });
  });

  it('of a device of another user, or of another tenant, is refused and changes nothing', async () => {
    const { tenantId } = await seedDeviceTenant(world);
    const foreign = await seedDeviceTenant(world);
    const [mine, theirs] = [await signedIn(tenantId), await signedIn(tenantId)];
    const before = await snapshot(tenantId);
    for (const [tenant, owner, deviceId] of [
      [tenantId, mine.userId, theirs.deviceId],
      [foreign.tenantId, null, theirs.deviceId],
      [tenantId, mine.userId, 'nonsense'],
      [tenantId, null, '1'],
    ] as const)
      expect(await unbind(tenant, owner, deviceId)).toBe('DEVICE_NOT_FOUND');
    expect(await snapshot(tenantId)).toEqual(before);
    expect(await unbind(tenantId, null, theirs.deviceId)).toBe('OK');
  });

  it('of the last device is refused while its user holds something, to staff as well, and says what', async () => {
    const { tenantId, planId } = await seedDeviceTenant(world);
    const em = () => emOf(world, tenantId);
    const ids = () => world.services.ids.next();
    const holdings: Record<string, (userId: string) => Promise<unknown>> = {
      'a subscription': async (userId) =>
        em().insert(Subscription, {
          tenantId,
          id: ids(),
          userId,
          planId,
          orderId: ids(),
          status: 'ACTIVE',
          token: ids().padStart(32, '0'),
          uuid: '6f1c0f5e-0000-4000-8000-000000000000',
          startedAt: NOW,
          expiresAt: LATER,
          trafficBytes: 0,
          trafficUsedBytes: 0,
          updatedAt: NOW,
        }),
      'a balance': async (userId) =>
        em().insert(Account, {
          tenantId,
          userId,
          facilityId: '1',
          currency: 'USD',
          id: ids(),
          balance: '0.01',
          entryNo: 0,
          haltedAt: null,
          createdAt: NOW,
        }),
      points: async (userId) => em().insert(PointsAccount, { tenantId, userId, balance: 1, updatedAt: NOW }),
      'a coupon': async (userId) =>
        em().insert(UserCoupon, {
          tenantId,
          id: ids(),
          userId,
          templateId: '1',
          kind: 'AMOUNT',
          currency: 'USD',
          amount: '5',
          minimum: '0',
          rateMille: 0,
          balance: '5',
          status: 'AVAILABLE',
          reservedOrderId: null,
          usedOrderId: null,
          expiresAt: null,
          redemptionId: null,
          rewardNo: null,
          ordinal: 0,
          idempotencyKey: null,
          argumentsDigest: null,
          version: 1,
          createdAt: NOW,
        }),
      'an order that is not paid yet': async (userId) =>
        em().execute(
          "insert into `order` (tenant_id, id, user_id, type, status, amount, is_new, created_at) values (?, ?, ?, 'PURCHASE', 'PENDING', '1', 0, ?)",
          [tenantId, ids(), userId, NOW],
        ),
    };
    for (const [name, hold] of Object.entries(holdings)) {
      const { userId, deviceId, sessionId } = await signedIn(tenantId);
      await hold(userId);
      const before = await snapshot(tenantId);
      for (const owner of [userId, null]) {
        const attempt = world.services.deviceChanges.unbind(tenantId, owner, deviceId);
        await expect(attempt).rejects.toMatchObject({ code: 'USER_WOULD_BE_ORPHANED' });
        await expect(attempt).rejects.toThrow(name);
      }
      expect(await snapshot(tenantId)).toEqual(before);
      expect(await world.services.access.refusalOf({ tenantId, userId, sessionId })).toBeNull();
      // A second device keeps the user's way in.
      const { linkCode } = await world.services.deviceLinks.create(tenantId, userId);
      const second = await signedIn(tenantId, { linkCode });
      expect(await unbind(tenantId, userId, deviceId)).toBe('OK');
      expect(await world.services.access.refusalOf({ tenantId, userId })).toBeNull();
      expect(await unbind(tenantId, userId, second.deviceId)).toBe('USER_WOULD_BE_ORPHANED');
    }
  });

  it("of the last device of a user whom the tenant's own system signs in, too, leaves the user in", async () => {
    const { tenantId } = await seedDeviceTenant(world);
    const external = { externalUserId: 'customer-1' };
    const { userId } = await world.services.users.createUserToken(tenantId, external);
    const { linkCode } = await world.services.deviceLinks.create(tenantId, userId);
    const { deviceId } = await signedIn(tenantId, { linkCode });
    expect(await unbind(tenantId, userId, deviceId)).toBe('OK');
    expect((await world.services.users.createUserToken(tenantId, external)).userId).toBe(userId);
  });

  it('leaves users of devices to their devices: no key, no staff and no issuer signs them in by a name', async () => {
    const { tenantId } = await seedDeviceTenant(world);
    const { userId } = await signedIn(tenantId);
    const externalUserId = `device:${userId}`;
    const { users } = world.services;
    expect((await users.ensureUser(tenantId, externalUserId)).id).toBe(userId);
    for (const key of [null, { keyId: world.services.ids.next(), productCodes: null }])
      for (const name of [externalUserId, 'device:new'])
        expect(await outcome(users.createUserToken(tenantId, { externalUserId: name }, key))).toBe(
          'EXTERNAL_USER_ID_NOT_ALLOWED',
        );
    expect((await snapshot(tenantId)).users).toHaveLength(1);
  });

  it('never orphans a user who redeems a plan in the same moment: one of the two is refused', async () => {
    const tenant = await seedDeviceTenant(world);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(world, tenant, 20);
    const outcomes: Record<string, number> = {};
    for (const code of codes) {
      const { userId, deviceId } = await signedIn(tenantId);
      const [redeemed, unbound] = await Promise.all([
        redeem(world, tenantId, userId, code).then(outcomeOf),
        unbind(tenantId, userId, deviceId, other),
      ]);
      const both = `${redeemed} ${unbound}`;
      outcomes[both] = (outcomes[both] ?? 0) + 1;
      const holds = await emOf(world, tenantId).count(Subscription, { userId });
      const bound = await emOf(world, tenantId).count(Device, { userId, unboundAt: null });
      expect([both, holds, bound]).toEqual([both, bound, bound]);
    }
    expect(['COMMITTED USER_WOULD_BE_ORPHANED', 'USER_DISABLED OK']).toEqual(
      expect.arrayContaining(Object.keys(outcomes)),
    );
  });

  it('never orphans a user who is sent money in the same moment: a transfer that comes behind the check is refused', async () => {
    const scene = await makeMoneyScene(world, 1);
    const { tenantId } = scene;
    const [from = ''] = scene.users;
    await scene.fund(from, '100');
    await world.services.settingChanges.update(tenantId, { auth: { deviceSignInEnabled: true } });
    const { userId, deviceId } = await signedIn(tenantId);
    const attempts: Promise<string>[] = [];
    const { userHoldings } = world.services;
    // The last check of the unbinding: what is asked before has been found to hold nothing.
    userHoldings.push({
      name: 'nothing',
      isHeld: async () => {
        attempts.push(outcome(scene.transfer(from, userId, '1')));
        await pause(300);
        return false;
      },
    });
    const unbound = await unbind(tenantId, userId, deviceId).finally(() => userHoldings.pop());
    expect([unbound, ...(await Promise.all(attempts))]).toEqual(['OK', 'RECIPIENT_DISABLED']);
    expect([await scene.balance(userId), await scene.balance(from)]).toEqual(['none', '100']);
  });

  it('of both devices of a subscriber at once leaves one of them', async () => {
    const tenant = await seedDeviceTenant(world);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(world, tenant, 5);
    for (const code of codes) {
      const first = await signedIn(tenantId);
      const { userId } = first;
      expect(outcomeOf(await redeem(world, tenantId, userId, code))).toBe('COMMITTED');
      const { linkCode } = await world.services.deviceLinks.create(tenantId, userId);
      const second = await signedIn(tenantId, { linkCode });
      const outcomes = await Promise.all([
        unbind(tenantId, userId, first.deviceId),
        unbind(tenantId, userId, second.deviceId, other),
      ]);
      expect(outcomes.toSorted()).toEqual(['OK', 'USER_WOULD_BE_ORPHANED']);
      expect(await emOf(world, tenantId).count(Device, { userId, unboundAt: null })).toBe(1);
    }
  });

  it('while the device signs in again and again ends with one bound device or none, and no session of the unbound one', async () => {
    const { tenantId } = await seedDeviceTenant(world);
    const first = await signedIn(tenantId);
    const { identifier, secret, userId, deviceId } = first;
    const outcomes = await Promise.all([
      ...Array.from({ length: 8 }, async (_none, index) =>
        outcome(signedIn(tenantId, { identifier, secret }, index % 2 === 0 ? world : other)),
      ),
      unbind(tenantId, userId, deviceId),
    ]);
    expect(new Set(outcomes)).toEqual(new Set(['OK']));
    const em = emOf(world, tenantId);
    const open = await em.execute<{ n: number }[]>(
      'select count(*) as n from session where tenant_id = ? and device_id = ? and ended_at is null',
      [tenantId, deviceId],
    );
    expect(Number(open[0]?.n)).toBe(0);
    const bound = await em.count(Device, { identifier, unboundAt: null });
    expect([0, 1]).toContain(bound);
    expect(await em.count(AuthMethod, { identifier })).toBe(bound);
  });
});

describe('S1.7: the device limit of a user', () => {
  it.each([
    ['of the tenant', { devicesPerUser: 3 }, 0, 3],
    ['of the plan', { devicesPerUser: 0 }, 4, 4],
    ['of both, the lower one', { devicesPerUser: 5 }, 2, 2],
  ])(
    '%s holds for one device more, from 20 sides at once at two processes',
    async (_name, device, ofPlan, limit) => {
      const tenant = await seedDeviceTenant(world, { device }, { deviceLimit: ofPlan });
      const { tenantId } = tenant;
      const { codes } = await seedCampaign(world, tenant, 1);
      const { userId, deviceId } = await signedIn(tenantId);
      expect(outcomeOf(await redeem(world, tenantId, userId, codes[0] ?? ''))).toBe('COMMITTED');
      const links = await Promise.all(
        Array.from({ length: 20 }, async () => world.services.deviceLinks.create(tenantId, userId)),
      );
      expect(await outcome(world.services.deviceLinks.create(tenantId, userId))).toBe('TOO_MANY_LINK_CODES');
      const outcomes = await Promise.all(
        links.map(async ({ linkCode }, index) =>
          outcome(signedIn(tenantId, { linkCode }, index % 2 === 0 ? world : other)),
        ),
      );
      expect(outcomes.filter((one) => one === 'OK')).toHaveLength(limit - 1);
      expect(outcomes.filter((one) => one === 'DEVICE_LIMIT_REACHED')).toHaveLength(21 - limit);
      const bound = async () => emOf(world, tenantId).count(Device, { userId, unboundAt: null });
      expect(await bound()).toBe(limit);
      expect(await emOf(world, tenantId).count(AuthMethod, {})).toBe(limit);
      // One that is unbound makes room for one.
      await world.services.deviceChanges.unbind(tenantId, userId, deviceId);
      const left = links.filter((_link, index) => outcomes[index] !== 'OK');
      const next = [];
      for (const { linkCode } of left.slice(0, 2)) next.push(await outcome(signedIn(tenantId, { linkCode })));
      expect(next).toEqual(['OK', 'DEVICE_LIMIT_REACHED']);
      expect(await bound()).toBe(limit);
    },
  );

  it('is not reached by one link code that 10 devices use at once: one of them joins', async () => {
    const { tenantId } = await seedDeviceTenant(world);
    const { userId } = await signedIn(tenantId);
    const { linkCode } = await world.services.deviceLinks.create(tenantId, userId);
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, async (_none, index) =>
        outcome(signedIn(tenantId, { linkCode }, index % 2 === 0 ? world : other)),
      ),
    );
    expect(outcomes.filter((one) => one === 'OK')).toHaveLength(1);
    expect(outcomes.filter((one) => one === 'LINK_CODE_NOT_FOUND')).toHaveLength(9);
    expect(await emOf(world, tenantId).count(Device, { userId })).toBe(2);
  });

  it('makes a link code worthless after ten minutes, and deletes it', async () => {
    const { tenantId } = await seedDeviceTenant(world);
    const { userId } = await signedIn(tenantId);
    const { linkCode, expiresAt } = await world.services.deviceLinks.create(tenantId, userId);
    const now = vi.spyOn(world.services.clock, 'nowMs').mockReturnValue(expiresAt.getTime());
    try {
      expect(await outcome(signedIn(tenantId, { linkCode }))).toBe('LINK_CODE_NOT_FOUND');
    } finally {
      now.mockRestore();
    }
    await emOf(world, tenantId).execute('update device_link_code set expires_at = ? where tenant_id = ?', [
      NOW,
      tenantId,
    ]);
    await world.services.deviceLinks.sweep();
    const [left] = await emOf(world, tenantId).execute<{ n: number }[]>(
      'select count(*) as n from device_link_code where tenant_id = ?',
      [tenantId],
    );
    expect(Number(left?.n)).toBe(0);
  });
});
