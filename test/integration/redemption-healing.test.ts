import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { copyOf } from '../../src/codes/code-copy.service.js';
import { Code } from '../../src/codes/code.entity.js';
import { factsAfter, factsOf, openClaims } from '../support/facts.js';
import { forget, openClaim } from '../support/open-claim.js';
import {
  emOf,
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUser,
  seedUsers,
  type World,
} from '../support/world.js';

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

const first = (codes: readonly string[]): string => codes[0] ?? '';

describe('a confirm that never came', () => {
  it('is repaired by the event of the commit', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(world, tenant, 1, { rule: { useLimit: 2 } });
    const users = await seedUsers(world, tenantId, 2);
    const claim = await openClaim(world, tenant, first(codes), users[0] ?? '');
    // The process dies after its COMMIT: the redemption is kept, the claim stays open in Redis.
    const key = `{${tenantId}}:claims:${claim.digest}`;
    const stored = (await world.stores.redis.hget(key, claim.redemptionId)) ?? '';
    await world.services.groupCommit.settle(claim);
    await world.stores.redis.hset(key, claim.redemptionId, stored);
    await world.stores.redis.zadd(`{${tenantId}}:open`, 1, `${claim.redemptionId}|${claim.digest}`);
    expect(outcomeOf(await redeem(other, tenantId, users[1] ?? '', first(codes)))).toBe('CODE_HELD');

    await other.services.lateConfirms.watch(tenantId, [
      { redemptionId: claim.redemptionId, digest: claim.digest },
    ]);
    await vi.waitFor(async () => expect(await openClaims(world, tenantId)).toBe(0), 60_000);
    expect(await world.stores.redis.hlen(key)).toBe(0);
    expect(outcomeOf(await redeem(other, tenantId, users[1] ?? '', first(codes)))).toBe('COMMITTED');
    expect(await factsOf(world, tenantId)).toEqual(factsAfter(2));
  });
});

describe('a claim whose reply was lost', () => {
  it('S0.6 is answered COMMITTED when a second click has committed it before it is sent again', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(world, tenant, 1);
    const userId = await seedUser(world, tenantId);
    const claim = await openClaim(world, tenant, first(codes), userId);
    await other.services.groupCommit.settle(claim);
    const sentAgain = vi.spyOn(world.services.ids, 'next').mockReturnValueOnce(claim.redemptionId);
    const answer = await redeem(world, tenantId, userId, first(codes));
    sentAgain.mockRestore();
    expect(answer).toMatchObject({
      status: 'COMMITTED',
      redemption: { id: claim.redemptionId },
      refusal: null,
    });
    expect(await factsOf(world, tenantId)).toEqual(factsAfter(1));
    expect(outcomeOf(await redeem(world, tenantId, userId, first(codes)))).toBe('ALREADY_REDEEMED');
  });
});

describe('copies in Redis', () => {
  it('do not outlive a change by staff that a confirm overtakes', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 1, { rule: { useLimit: 2 } });
    const users = await seedUsers(world, tenant.tenantId, 4);
    const claim = await openClaim(world, tenant, first(codes), users[0] ?? '');
    const em = emOf(world, tenant.tenantId);
    const row = await em.findOneOrFail(Code, { codeText: first(codes) });
    // The change is committed, but its word to Redis is late: the confirm of a later commit comes first.
    await em.nativeUpdate(Code, { id: row.id }, { useLimit: 50, version: row.version + 1 });
    await world.services.groupCommit.settle(claim);
    await world.services.copies.evict(tenant.tenantId, claim.digest, row.version + 1);
    for (const userId of users.slice(1)) {
      expect(outcomeOf(await redeem(world, tenant.tenantId, userId, first(codes)))).toBe('COMMITTED');
    }
  });

  it('are not made of a remembered version and half a state by a confirm', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(world, tenant, 1, { rule: { useLimit: 2 } });
    const users = await seedUsers(world, tenantId, 2);
    const claim = await openClaim(world, tenant, first(codes), users[0] ?? '');
    const row = await emOf(world, tenantId).findOneOrFail(Code, { codeText: first(codes) });
    const { redis } = world.stores;
    const copy = `{${tenantId}}:code:${claim.digest}`;
    // Staff have changed the code, and it was not loaded since; its cached copy is about to expire.
    await world.services.copies.evict(tenantId, claim.digest, row.version);
    await redis.pexpire(copy, 5000);
    await world.services.groupCommit.settle(claim);
    expect(await redis.hgetall(copy)).toEqual({ version: String(row.version + 1) });
    expect(await redis.pttl(copy)).toBeGreaterThan(50_000);
    // A row that was read before the commit comes too late.
    await world.services.copies.store(tenantId, [copyOf(row)], await world.services.copies.epoch(tenantId));
    expect(await redis.hgetall(copy)).toEqual({ version: String(row.version + 1) });
    expect(outcomeOf(await redeem(other, tenantId, users[1] ?? '', first(codes)))).toBe('COMMITTED');
    expect(await factsOf(world, tenantId)).toEqual(factsAfter(2));
  });

  it('let a frozen batch be refused before the claim, and at once after the change', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 2);
    const [a = '', b = ''] = await seedUsers(world, tenant.tenantId, 2);
    await redeem(world, tenant.tenantId, a, codes[0] ?? '');
    const code = await emOf(world, tenant.tenantId).findOneOrFail(Code, { codeText: codes[0] ?? '' });
    await world.services.batchChanges.freeze(tenant.tenantId, code.batchId);
    // Used up and frozen: inactive comes first. Nothing is claimed, so nothing is tombstoned.
    for (const text of codes) {
      expect(outcomeOf(await redeem(other, tenant.tenantId, b, text))).toBe('CODE_INACTIVE');
    }
    expect(await factsOf(world, tenant.tenantId)).toEqual(factsAfter(1));
    await world.services.batchChanges.unfreeze(tenant.tenantId, code.batchId);
    expect(outcomeOf(await redeem(other, tenant.tenantId, b, codes[1] ?? ''))).toBe('COMMITTED');
  });
});

describe('refusals that only the commit finds', () => {
  it('say ALREADY_REDEEMED before any limit, and are known to Redis from then on', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 1, {
      rule: { useLimit: 9 },
      campaign: { userLimitTotal: 1 },
    });
    const userId = await seedUser(world, tenant.tenantId);
    const answer = await redeem(world, tenant.tenantId, userId, first(codes));
    await forget(world, tenant.tenantId);
    for (let i = 0; i < 3; i += 1) {
      const again = await redeem(world, tenant.tenantId, userId, first(codes));
      expect(outcomeOf(again)).toBe('ALREADY_REDEEMED');
      expect(again.redemption?.id).toBe(answer.redemption?.id);
    }
    expect(await factsOf(world, tenant.tenantId)).toEqual({ ...factsAfter(1), tombstones: 1 });
  });

  it('do not take a forgotten key away from its redemption for a claim of another code', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(world, tenant, 2);
    const userId = await seedUser(world, tenantId);
    const asked = async (code = '') => redeem(world, tenantId, userId, code, { idempotencyKey: 'k' });
    const answer = await asked(codes[0]);
    await forget(world, tenantId);
    await openClaim(world, tenant, codes[1] ?? '', userId, 'k');
    expect(await asked(codes[0])).toEqual(answer);
    expect(outcomeOf(await asked(codes[1]))).toBe('IDEMPOTENCY_KEY_REUSED');
    expect(await asked(codes[0])).toEqual(answer);
    expect(await factsOf(world, tenantId)).toEqual({ ...factsAfter(1), tombstones: 1 });
  });

  it('heal a forgotten key: it is replayed without a further claim, and not counted', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 1, { rule: { useLimit: 9 } });
    const userId = await seedUser(world, tenant.tenantId);
    const asked = async () =>
      redeem(world, tenant.tenantId, userId, first(codes), { productCode: 'APP_A', idempotencyKey: 'k' });
    const answer = await asked();
    await forget(world, tenant.tenantId);
    for (let i = 0; i < 3; i += 1) expect(await asked()).toEqual(answer);
    expect(await factsOf(world, tenant.tenantId)).toEqual({ ...factsAfter(1), tombstones: 1 });
    expect(await world.stores.redis.zcard(`{${tenant.tenantId}}:rate:line:APP_A`)).toBe(0);
  });
});
