import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyOf } from '../../src/codes/code-copy.service.js';
import { Code } from '../../src/codes/code.entity.js';
import type { Claim } from '../../src/redemption/claim/claim.js';
import { jobIdOf } from '../../src/redemption/deferred/pending-redemptions.js';
import { Redemption } from '../../src/redemption/history/redemption.entity.js';
import { RedisScript } from '../../src/platform/redis/script.js';
import { factsAfter, factsOf, openClaims } from '../support/facts.js';
import { forget, openClaim } from '../support/open-claim.js';
import { pendingQueueOf } from '../support/redis-keys.js';
import {
  emOf,
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUser,
  seedUsers,
  tally,
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

describe('idempotency keys', () => {
  it('answer the same redemption for ever, also when Redis has forgotten them', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 2);
    const userId = await seedUser(world, tenant.tenantId);
    const key = { idempotencyKey: 'order-4711' };
    const answer = await redeem(world, tenant.tenantId, userId, first(codes), key);
    const again = await redeem(other, tenant.tenantId, userId, first(codes), key);
    expect(again).toEqual(answer);
    await forget(world, tenant.tenantId);
    expect(await redeem(world, tenant.tenantId, userId, first(codes), key)).toEqual(answer);
    expect(await factsOf(world, tenant.tenantId)).toEqual(factsAfter(1));
  });

  it('refuse another code, also when Redis has forgotten them, and write nothing', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 2);
    const userId = await seedUser(world, tenant.tenantId);
    const key = { idempotencyKey: 'order-4711' };
    const [one = '', two = ''] = codes;
    await redeem(world, tenant.tenantId, userId, one, key);
    expect(outcomeOf(await redeem(world, tenant.tenantId, userId, two, key))).toBe('IDEMPOTENCY_KEY_REUSED');
    await forget(world, tenant.tenantId);
    expect(outcomeOf(await redeem(world, tenant.tenantId, userId, two, key))).toBe('IDEMPOTENCY_KEY_REUSED');
    expect(await factsOf(world, tenant.tenantId)).toEqual({ ...factsAfter(1), tombstones: 1 });
    const fresh = await redeem(world, tenant.tenantId, userId, two, { idempotencyKey: 'order-4712' });
    expect(outcomeOf(fresh)).toBe('COMMITTED');
  });

  it('are answered from the row, whatever the job queue does', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 1);
    const userId = await seedUser(world, tenant.tenantId);
    const key = { idempotencyKey: 'k' };
    const answer = await redeem(world, tenant.tenantId, userId, first(codes), key);
    const jobs = pendingQueueOf(world.stores.redis, tenant.tenantId);
    const job = `${jobs}:${jobIdOf(tenant.tenantId, answer.redemption?.id ?? '')}`;
    await world.stores.redis.set(job, 'what cannot be read as a job');
    await expect(
      world.services.pendingRedemptions.find(tenant.tenantId, answer.redemption?.id ?? ''),
    ).rejects.toThrow();
    expect(await redeem(world, tenant.tenantId, userId, first(codes), key)).toEqual(answer);
    await world.stores.redis.del(job);
  });

  it('belong to one user: another user may use the same text', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 2);
    const [a = '', b = ''] = await seedUsers(world, tenant.tenantId, 2);
    const key = { idempotencyKey: 'same' };
    expect(outcomeOf(await redeem(world, tenant.tenantId, a, codes[0] ?? '', key))).toBe('COMMITTED');
    expect(outcomeOf(await redeem(world, tenant.tenantId, b, codes[1] ?? '', key))).toBe('COMMITTED');
  });

  it('do not remember refusals: the same key works once the code does', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 1);
    const userId = await seedUser(world, tenant.tenantId);
    const key = { idempotencyKey: 'k' };
    const typo = await redeem(world, tenant.tenantId, userId, 'ABCDEFGH23456789', key);
    expect(outcomeOf(typo)).toBe('CODE_NOT_FOUND');
    expect(outcomeOf(await redeem(world, tenant.tenantId, userId, first(codes), key))).toBe('COMMITTED');
  });

  it('of fifty parallel requests over two processes lead to one redemption', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 1, { rule: { useLimit: 0 } });
    const userId = await seedUser(world, tenant.tenantId);
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, i) =>
        redeem(i % 2 === 0 ? world : other, tenant.tenantId, userId, first(codes), { idempotencyKey: 'k' }),
      ),
    );
    expect(tally(answers)).toEqual({ COMMITTED: 50 });
    expect(new Set(answers.map((answer) => answer.redemption?.id)).size).toBe(1);
    expect(await factsOf(world, tenant.tenantId)).toEqual(factsAfter(1));
  });
});

describe('the claim', () => {
  it('S0.6 is locked per user and code for ten seconds, and the second click gets the first one’s answer', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 1, { rule: { useLimit: 5 } });
    const userId = await seedUser(world, tenant.tenantId);
    const fromMs = performance.now();
    const claim = await openClaim(world, tenant, first(codes), userId);
    const lock = `{${tenant.tenantId}}:redemption_lock:${userId}:${claim.digest}`;
    const ttlMs = await world.stores.redis.pttl(lock);
    expect(ttlMs).toBeGreaterThan(10_000 - (performance.now() - fromMs) - 10);
    expect(ttlMs).toBeLessThanOrEqual(10_000);
    // The first click has no answer yet; the second adopts its claim and commits the same redemption.
    const second = await redeem(other, tenant.tenantId, userId, first(codes));
    expect(second).toMatchObject({ status: 'COMMITTED', redemption: { id: claim.redemptionId } });
    const firstOutcome = await world.services.groupCommit.settle(claim);
    expect(firstOutcome).toMatchObject({ kind: 'SETTLED', record: { id: claim.redemptionId } });
    expect(await world.stores.redis.exists(lock)).toBe(0);
    expect(await factsOf(world, tenant.tenantId)).toEqual(factsAfter(1));
  });

  it('S0.6 cannot have its lock deleted by an expired holder', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 1, { rule: { useLimit: 5 } });
    const userId = await seedUser(world, tenant.tenantId);
    const expired = await openClaim(world, tenant, first(codes), userId);
    const lock = `{${tenant.tenantId}}:redemption_lock:${userId}:${expired.digest}`;
    await world.stores.redis.set(lock, 'token-of-new-holder|123456789');
    await world.services.groupCommit.settle(expired);
    expect(await world.stores.redis.get(lock)).toBe('token-of-new-holder|123456789');
  });

  it('S4.6 reads the copy by field names: their order in Redis changes nothing', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 2);
    const userId = await seedUser(world, tenant.tenantId);
    const em = emOf(world, tenant.tenantId);
    for (const [i, text] of codes.entries()) {
      const row = await em.findOneOrFail(Code, { codeText: text });
      await world.services.copies.store(
        tenant.tenantId,
        [copyOf(row)],
        await world.services.copies.epoch(tenant.tenantId),
      );
      const key = `{${tenant.tenantId}}:code:${row.codeDigest}`;
      const fields = Object.entries(await world.stores.redis.hgetall(key)).toReversed();
      if (i === 1) fields.sort(([a], [b]) => a.localeCompare(b));
      await world.stores.redis.del(key);
      await world.stores.redis.hset(key, 'an_unknown_field', '0', ...fields.flat());
      expect(outcomeOf(await redeem(world, tenant.tenantId, userId, text))).toBe('COMMITTED');
    }
    expect(await factsOf(world, tenant.tenantId)).toEqual(factsAfter(2, 1));
  });

  it('is answered again, not made again, when the script runs twice with one id', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 1, { rule: { useLimit: 2 } });
    const userId = await seedUser(world, tenant.tenantId);
    const claim = await openClaim(world, tenant, first(codes), userId);
    const claims = `{${tenant.tenantId}}:claims:${claim.digest}`;
    const k = (name: string) => `{${tenant.tenantId}}:${name}`;
    const reply = await new RedisScript(world.stores.redis, 'claim-code').run(
      [k(`code:${claim.digest}`), claims, k('m'), k('l'), k('d'), k('open'), k('x'), k('y'), k('z')],
      [
        claim.redemptionId,
        userId,
        claim.digest,
        'another-token',
        '{}',
        '',
        '',
        15_000,
        10_000,
        1000,
        '',
        '',
        '',
      ],
    );
    expect(reply).toEqual(['CLAIMED', claim.claimedAtMs, claim.token]);
    expect(await world.stores.redis.hlen(claims)).toBe(1);
    await world.services.groupCommit.settle(claim);
  });
});

describe('the commit', () => {
  it('S0.7 rolls everything back when it fails after the subscription was written', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 1);
    const userId = await seedUser(world, tenant.tenantId);
    const em = emOf(world, tenant.tenantId);
    const outbox = world.services.outbox as { append: unknown };
    const append = outbox.append;
    outbox.append = (_em: unknown, _tenantId: unknown, drafts: unknown[]) => {
      if (drafts.length > 0) throw new Error('The disk of the test is full.');
    };
    try {
      await expect(redeem(world, tenant.tenantId, userId, first(codes))).rejects.toThrow(
        'The disk of the test is full.',
      );
    } finally {
      outbox.append = append;
    }
    // Its id is tombstoned, which gives the use back; of the redemption itself nothing is left.
    expect(await factsOf(world, tenant.tenantId)).toEqual({ ...factsAfter(0), tombstones: 1 });
    const code = await em.findOneOrFail(Code, { codeText: first(codes) });
    expect(code).toMatchObject({ used: 0, lastUseNo: 0, version: 1 });
    expect(await openClaims(world, tenant.tenantId)).toBe(0);
    expect(outcomeOf(await redeem(other, tenant.tenantId, userId, first(codes)))).toBe('COMMITTED');
    expect(await factsOf(world, tenant.tenantId)).toEqual({ ...factsAfter(1), tombstones: 1 });
  });

  it('S0.8 extends once when the same claim is delivered five times, by two processes', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 1);
    const userId = await seedUser(world, tenant.tenantId);
    const claim = await openClaim(world, tenant, first(codes), userId);
    const deliveries = [world, other, world, other, world].map(async ({ services }) =>
      services.groupCommit.settle(claim),
    );
    const outcomes = await Promise.all(deliveries);
    expect(outcomes.every((outcome) => outcome.kind === 'COMMITTED' || outcome.kind === 'SETTLED')).toBe(
      true,
    );
    const late = await other.services.groupCommit.settle(claim);
    expect(late.kind).toBe('SETTLED');
    expect(await factsOf(world, tenant.tenantId)).toEqual(factsAfter(1));
  });

  it('refuses only the bad one of a batch, and answers the others', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 8);
    const users = await seedUsers(world, tenant.tenantId, 8);
    const claims = await Promise.all(
      codes.map(async (code, i) => openClaim(world, tenant, code, users[i] ?? '')),
    );
    // A value that the database does not take: longer than its column.
    const poisoned = claims.map((claim, i) => (i === 5 ? { ...claim, productCode: 'X'.repeat(40) } : claim));
    const results = await Promise.allSettled(
      poisoned.map(async (claim) => world.services.groupCommit.settle(claim)),
    );
    expect(results.map((result) => result.status)).toEqual(
      poisoned.map((_, i) => (i === 5 ? 'rejected' : 'fulfilled')),
    );
    // The bad one cannot even be tombstoned, because its row is what the database does not take.
    expect(await factsOf(world, tenant.tenantId)).toEqual(factsAfter(7));
    expect(await openClaims(world, tenant.tenantId)).toBe(1);
  });

  it('lets the database decide when Redis admits too much, and tombstones the loser', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 1);
    const [a = '', b = ''] = await seedUsers(world, tenant.tenantId, 2);
    await redeem(world, tenant.tenantId, a, first(codes));
    const em = emOf(world, tenant.tenantId);
    const row = await em.findOneOrFail(Code, { codeText: first(codes) }, { disableIdentityMap: true });
    // A copy from before the redemption, as a lagging replica would bring it back.
    await forget(world, tenant.tenantId);
    await world.services.copies.store(
      tenant.tenantId,
      [copyOf({ ...row, used: 0, version: 1 })],
      await world.services.copies.epoch(tenant.tenantId),
    );
    expect(outcomeOf(await redeem(world, tenant.tenantId, b, first(codes)))).toBe('CODE_EXHAUSTED');
    expect(await factsOf(world, tenant.tenantId)).toEqual({ ...factsAfter(1), tombstones: 1 });
    expect(
      await em.count(Redemption, { status: 'ABORTED', abortReason: 'CODE_EXHAUSTED', useNo: null }),
    ).toBe(1);
    expect(await openClaims(world, tenant.tenantId)).toBe(0);
    // The copy healed: the next refusal needs no claim.
    expect(outcomeOf(await redeem(world, tenant.tenantId, b, first(codes)))).toBe('CODE_EXHAUSTED');
    expect((await factsOf(world, tenant.tenantId)).tombstones).toBe(1);
  });

  it('stores no copy that was read before Redis was emptied', async () => {
    const { services, stores } = world;
    const { tenantId, ...tenant } = await seedTenant(world);
    const { codes } = await seedCampaign(world, { tenantId, ...tenant }, 1, { rule: { useLimit: 2 } });
    const userId = await seedUser(world, tenantId);
    const epoch = await services.copies.epoch(tenantId);
    const em = emOf(world, tenantId);
    const row = await em.findOneOrFail(Code, { codeText: first(codes) }, { disableIdentityMap: true });
    await redeem(world, tenantId, userId, first(codes));
    // With the copies goes what tells that the row is an older one.
    await forget(world, tenantId);
    await services.copies.store(tenantId, [copyOf(row)], epoch);
    const key = `{${tenantId}}:code:${row.codeDigest}`;
    expect(await stores.redis.exists(key)).toBe(0);
    // The next attempt reads it again.
    expect(outcomeOf(await redeem(world, tenantId, await seedUser(world, tenantId), first(codes)))).toBe(
      'COMMITTED',
    );
    expect(await stores.redis.hget(key, 'used')).toBe('2');
  });

  it('counts a pause, a freeze and a switch that come between claim and commit', async () => {
    const tenant = await seedTenant(world);
    const { codes, campaignId } = await seedCampaign(world, tenant, 3);
    const users = await seedUsers(world, tenant.tenantId, 3);
    const claims = await Promise.all(
      codes.map(async (code, i) => openClaim(world, tenant, code, users[i] ?? '')),
    );
    const { services } = world;
    const settle = async (i: number) => services.groupCommit.settle(claims[i] as Claim);
    await services.campaignChanges.step(tenant.tenantId, campaignId, 'pause');
    expect(await settle(0)).toMatchObject({ kind: 'REFUSED', refusal: 'CAMPAIGN_NOT_ACTIVE' });
    await services.campaignChanges.step(tenant.tenantId, campaignId, 'resume');
    await services.codeChanges.setEnabled(tenant.tenantId, claims[1]?.codeId ?? '', false);
    expect(await settle(1)).toMatchObject({ kind: 'REFUSED', refusal: 'CODE_INACTIVE' });
    await services.batchChanges.freeze(tenant.tenantId, claims[2]?.batchId ?? '');
    expect(await settle(2)).toMatchObject({ kind: 'REFUSED', refusal: 'CODE_INACTIVE' });
    expect(await factsOf(world, tenant.tenantId)).toEqual({ ...factsAfter(0), tombstones: 3 });
    await services.batchChanges.unfreeze(tenant.tenantId, claims[2]?.batchId ?? '');
    expect(outcomeOf(await redeem(world, tenant.tenantId, users[2] ?? '', codes[2] ?? ''))).toBe('COMMITTED');
  });
});
