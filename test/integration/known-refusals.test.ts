import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Code } from '../../src/codes/code.entity.js';
import { keysOf } from '../support/redis-keys.js';
import {
  emOf,
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUsers,
  type World,
} from '../support/world.js';

const HOUR_MS = 3_600_000;

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

async function seeded(count: number, campaign: Parameters<typeof seedCampaign>[3] = {}) {
  const tenant = await seedTenant(world);
  const { tenantId } = tenant;
  const { codes } = await seedCampaign(world, tenant, count, campaign);
  const [user = '', other = ''] = await seedUsers(world, tenantId, 2);
  const change = async (at: number, values: Partial<Code>) =>
    emOf(world, tenantId).nativeUpdate(Code, { codeText: codes[at] ?? '' }, values);
  const attempt = async (userId: string, at: number) =>
    outcomeOf(await redeem(world, tenantId, userId, codes[at] ?? ''));
  return { tenantId, codes, user, other, change, attempt };
}

/** How often claims were asked for meanwhile. */
async function claimsDuring(work: () => Promise<void>): Promise<number> {
  const claim = vi.spyOn(world.services.redemptionRedis, 'claim');
  try {
    await work();
    return claim.mock.calls.length;
  } finally {
    claim.mockRestore();
  }
}

it('a code that its copy refuses is refused by the admission, without a claim', async () => {
  const { user, other, change, attempt } = await seeded(5);
  await change(0, { status: 'DISABLED' });
  await change(1, { startsAt: new Date(Date.now() + HOUR_MS) });
  await change(2, { expiresAt: new Date(Date.now() - HOUR_MS) });
  await change(3, { assignedUserId: other });
  expect(await attempt(other, 4)).toBe('COMMITTED');
  const refusals = ['CODE_INACTIVE', 'CODE_NOT_STARTED', 'CODE_EXPIRED', 'CODE_NOT_YOURS', 'CODE_EXHAUSTED'];
  // The first attempt brings the copies.
  for (const [at, refusal] of refusals.entries()) expect(await attempt(user, at)).toBe(refusal);
  const claims = await claimsDuring(async () => {
    for (const [at, refusal] of refusals.entries()) expect(await attempt(user, at)).toBe(refusal);
  });
  expect(claims).toBe(0);
  expect(await attempt(other, 4)).toBe('ALREADY_REDEEMED');
  expect(await attempt(other, 3)).toBe('COMMITTED');
});

it('a code is not refused as expired once its batch is extended', async () => {
  const { tenantId, codes, user, change, attempt } = await seeded(1);
  await change(0, { expiresAt: new Date(Date.now() - HOUR_MS) });
  for (let at = 0; at < 2; at += 1) expect(await attempt(user, 0)).toBe('CODE_EXPIRED');
  const { batchId } = await emOf(world, tenantId).findOneOrFail(Code, { codeText: codes[0] ?? '' });
  const expiresAt = new Date(Date.now() + HOUR_MS).toISOString();
  await world.services.batchChanges.extend(tenantId, batchId, { expiresAt });
  expect(await attempt(user, 0)).toBe('COMMITTED');
});

it("the user's limit still comes before a code that is used up", async () => {
  const { user, other, attempt } = await seeded(3, { campaign: { userLimitTotal: 1 } });
  expect(await attempt(other, 2)).toBe('COMMITTED');
  expect(await attempt(user, 0)).toBe('COMMITTED');
  expect(await attempt(user, 1)).toBe('USER_LIMIT_REACHED');
  for (let at = 0; at < 2; at += 1) expect(await attempt(user, 2)).toBe('USER_LIMIT_REACHED');
});

it.each(['done', 'redemption_lock'])(
  'a used-up code is left to the claim where Redis has a mark of the user: %s',
  async (mark) => {
    const { tenantId, codes, user, other, attempt } = await seeded(1);
    expect(await attempt(other, 0)).toBe('COMMITTED');
    expect(await attempt(user, 0)).toBe('CODE_EXHAUSTED');
    const { recognizer } = world.services;
    const [digest = ''] = recognizer.digests(tenantId, recognizer.canonicalize(codes[0] ?? '') ?? '');
    await world.stores.redis.set(`{${tenantId}}:${mark}:${user}:${digest}`, '1', 'EX', 60);
    const claims = await claimsDuring(async () => {
      // Behind this mark there is no redemption, so what the claim makes of it is no matter.
      await attempt(user, 0).catch(() => undefined);
    });
    expect(claims).toBeGreaterThan(0);
  },
);

it('a paused campaign still comes before the state of its code', async () => {
  const { tenantId, codes, user, change, attempt } = await seeded(1);
  await change(0, { status: 'DISABLED' });
  for (let at = 0; at < 2; at += 1) expect(await attempt(user, 0)).toBe('CODE_INACTIVE');
  const { campaignId } = await emOf(world, tenantId).findOneOrFail(Code, { codeText: codes[0] ?? '' });
  await world.services.campaignChanges.step(tenantId, campaignId, 'pause');
  expect(await attempt(user, 0)).toBe('CAMPAIGN_NOT_ACTIVE');
});

it('a key whose marker is lost is answered before the state of its code', async () => {
  const { tenantId, codes, user, other, change, attempt } = await seeded(1);
  const { redis } = world.stores;
  const redeemByKey = async () =>
    outcomeOf(await redeem(world, tenantId, user, codes[0] ?? '', { idempotencyKey: 'first' }));
  expect(await redeemByKey()).toBe('COMMITTED');
  // A confirm that comes later would bring the marker back.
  await expect.poll(async () => keysOf(redis, `{${tenantId}}:claims:*`)).toEqual([]);
  await redis.del(await keysOf(redis, `{${tenantId}}:key:*`));
  await change(0, { status: 'DISABLED' });
  expect(await attempt(other, 0)).toBe('CODE_INACTIVE');
  const claims = await claimsDuring(async () => {
    expect(await redeemByKey()).toBe('COMMITTED');
  });
  expect(claims).toBe(0);
});

it('a code of another user counts as a failure when the admission refuses it, once an attempt', async () => {
  const { tenantId, user, other, change, attempt } = await seeded(1);
  await change(0, { assignedUserId: other });
  for (let at = 0; at < 3; at += 1) expect(await attempt(user, 0)).toBe('CODE_NOT_YOURS');
  const level = await world.stores.redis.hget(`{${tenantId}}:lockout:user:${user}`, 'level');
  expect(Number(level)).toBeCloseTo(3, 1);
});
