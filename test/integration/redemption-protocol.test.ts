import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Code } from '../../src/codes/code.entity.js';
import type { Claim } from '../../src/redemption/claim.js';
import { Redemption } from '../../src/redemption/redemption.entity.js';
import { RedisScript } from '../../src/platform/redis/script.js';
import { factsAfter, factsOf, openClaims } from '../support/facts.js';
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
  type SeededTenant,
  type World,
} from '../support/world.js';

let world: World;
/** Stands for a second process on the same stores. */
let other: World;
beforeAll(async () => {
  world = await openWorld();
  other = await openWorld();
});
afterAll(async () => {
  await world.close();
  await other.close();
});

const first = (codes: readonly string[]): string => codes[0] ?? '';

async function forget(tenantId: string): Promise<void> {
  const keys = await world.stores.redis.keys(`{${tenantId}}:*`);
  if (keys.length > 0) await world.stores.redis.del(keys);
}

/** A claim as a process would hold it, made by the real script, and not committed yet. */
async function openClaim(tenant: SeededTenant, code: string, userId: string): Promise<Claim> {
  const { services, stores } = world;
  const { tenantId } = tenant;
  const digest = services.recognizer.digest(tenantId, services.recognizer.canonicalize(code) ?? '');
  const row = await emOf(world, tenantId).findOneOrFail(Code, { codeDigest: digest });
  await services.copies.store(tenantId, [row]);
  const campaign = await services.campaignReader.read(tenantId, row.campaignId);
  const redemptionId = services.ids.next();
  const snapshot = {
    userId,
    codeId: row.id,
    campaignId: row.campaignId,
    batchId: row.batchId,
    productCode: 'DEMO',
    deviceId: null,
    idempotencyKey: null,
    rewards: (campaign?.rule.rewardRules ?? []).map((rule, rewardNo) => ({ rewardNo, rule })),
  };
  const k = (name: string) => `{${tenantId}}:${name}`;
  const reply = (await new RedisScript(stores.redis, 'claim-code').run(
    [
      k(`code:${digest}`),
      k(`claims:${digest}`),
      k(`key:${userId}:`),
      k(`redemption_lock:${userId}:${digest}`),
      k(`done:${userId}:${digest}`),
      k('open'),
      k('spent:x'),
      k('spent:y'),
      k('spent:z'),
    ],
    [
      redemptionId,
      userId,
      digest,
      'token-of-test',
      JSON.stringify(snapshot),
      '',
      '',
      15_000,
      10_000,
      86_400_000,
      '',
    ],
  )) as [string, number, string];
  expect(reply[0]).toBe('CLAIMED');
  return { ...snapshot, tenantId, redemptionId, digest, token: reply[2], claimedAtMs: reply[1] };
}

describe('idempotency keys', () => {
  it('answer the same redemption for ever, also when Redis has forgotten them', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 2);
    const userId = await seedUser(world, tenant.tenantId);
    const key = { idempotencyKey: 'order-4711' };
    const answer = await redeem(world, tenant.tenantId, userId, first(codes), key);
    const again = await redeem(other, tenant.tenantId, userId, first(codes), key);
    expect(again).toEqual(answer);
    await forget(tenant.tenantId);
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
    await forget(tenant.tenantId);
    expect(outcomeOf(await redeem(world, tenant.tenantId, userId, two, key))).toBe('IDEMPOTENCY_KEY_REUSED');
    expect(await factsOf(world, tenant.tenantId)).toEqual({ ...factsAfter(1), tombstones: 1 });
    const fresh = await redeem(world, tenant.tenantId, userId, two, { idempotencyKey: 'order-4712' });
    expect(outcomeOf(fresh)).toBe('COMMITTED');
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
    const claim = await openClaim(tenant, first(codes), userId);
    const lock = `{${tenant.tenantId}}:redemption_lock:${userId}:${claim.digest}`;
    const ttlMs = await world.stores.redis.pttl(lock);
    expect(ttlMs).toBeGreaterThan(8_000);
    expect(ttlMs).toBeLessThanOrEqual(10_000);
    // The first click's process has said nothing yet; the second adopts its claim and commits the same redemption.
    const second = await redeem(other, tenant.tenantId, userId, first(codes));
    expect(second).toMatchObject({ status: 'COMMITTED', redemption: { id: claim.redemptionId } });
    const firstOutcome = await world.services.settlement.settle(claim);
    expect(firstOutcome).toMatchObject({ kind: 'SETTLED', record: { id: claim.redemptionId } });
    expect(await world.stores.redis.exists(lock)).toBe(0);
    expect(await factsOf(world, tenant.tenantId)).toEqual(factsAfter(1));
  });

  it('S0.6 cannot have its lock deleted by an expired holder', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 1, { rule: { useLimit: 5 } });
    const userId = await seedUser(world, tenant.tenantId);
    const expired = await openClaim(tenant, first(codes), userId);
    const lock = `{${tenant.tenantId}}:redemption_lock:${userId}:${expired.digest}`;
    await world.stores.redis.set(lock, 'token-of-new-holder|123456789');
    await world.services.settlement.settle(expired);
    expect(await world.stores.redis.get(lock)).toBe('token-of-new-holder|123456789');
  });

  it('S4.6 reads the copy by field names: their order in Redis changes nothing', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 2);
    const userId = await seedUser(world, tenant.tenantId);
    const em = emOf(world, tenant.tenantId);
    for (const [i, text] of codes.entries()) {
      const row = await em.findOneOrFail(Code, { codeText: text });
      await world.services.copies.store(tenant.tenantId, [row]);
      const key = `{${tenant.tenantId}}:code:${row.codeDigest}`;
      const fields = Object.entries(await world.stores.redis.hgetall(key)).toReversed();
      if (i === 1) fields.sort(([a], [b]) => a.localeCompare(b));
      await world.stores.redis.del(key);
      await world.stores.redis.hset(key, 'a_field_that_nobody_knows', '0', ...fields.flat());
      expect(outcomeOf(await redeem(world, tenant.tenantId, userId, text))).toBe('COMMITTED');
    }
    expect(await factsOf(world, tenant.tenantId)).toEqual(factsAfter(2, 1));
  });

  it('is answered again, not made again, when the script runs twice with one id', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 1, { rule: { useLimit: 2 } });
    const userId = await seedUser(world, tenant.tenantId);
    const claim = await openClaim(tenant, first(codes), userId);
    const claims = `{${tenant.tenantId}}:claims:${claim.digest}`;
    const k = (name: string) => `{${tenant.tenantId}}:${name}`;
    const reply = await new RedisScript(world.stores.redis, 'claim-code').run(
      [k(`code:${claim.digest}`), claims, k('m'), k('l'), k('d'), k('open'), k('x'), k('y'), k('z')],
      [claim.redemptionId, userId, claim.digest, 'another-token', '{}', '', '', 15_000, 10_000, 1000, ''],
    );
    expect(reply).toEqual(['CLAIMED', claim.claimedAtMs, claim.token]);
    expect(await world.stores.redis.hlen(claims)).toBe(1);
    await world.services.settlement.settle(claim);
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
    outbox.append = async (_em: unknown, _tenantId: unknown, drafts: unknown[]) => {
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
    const claim = await openClaim(tenant, first(codes), userId);
    const deliveries = [world, other, world, other, world].map(async ({ services }) =>
      services.settlement.settle(claim),
    );
    const outcomes = await Promise.all(deliveries);
    expect(outcomes.every((outcome) => outcome.kind === 'COMMITTED' || outcome.kind === 'SETTLED')).toBe(
      true,
    );
    const late = await other.services.settlement.settle(claim);
    expect(late.kind).toBe('SETTLED');
    expect(await factsOf(world, tenant.tenantId)).toEqual(factsAfter(1));
  });

  it('refuses only the bad one of a batch, and answers the others', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 8);
    const users = await seedUsers(world, tenant.tenantId, 8);
    const claims = await Promise.all(codes.map(async (code, i) => openClaim(tenant, code, users[i] ?? '')));
    // A value that the database does not take: longer than its column.
    const poisoned = claims.map((claim, i) => (i === 5 ? { ...claim, productCode: 'X'.repeat(40) } : claim));
    const results = await Promise.allSettled(
      poisoned.map(async (claim) => world.services.settlement.settle(claim)),
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
    await forget(tenant.tenantId);
    await world.services.copies.store(tenant.tenantId, [{ ...row, used: 0, version: 1 }]);
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

  it('counts a pause, a freeze and a switch that come between claim and commit', async () => {
    const tenant = await seedTenant(world);
    const { codes, campaignId } = await seedCampaign(world, tenant, 3);
    const users = await seedUsers(world, tenant.tenantId, 3);
    const claims = await Promise.all(codes.map(async (code, i) => openClaim(tenant, code, users[i] ?? '')));
    const { services } = world;
    const settle = async (i: number) => services.settlement.settle(claims[i] as Claim);
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

describe('a confirm that never came', () => {
  it('is made good by what the outbox tells of the commit', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(world, tenant, 1, { rule: { useLimit: 2 } });
    const users = await seedUsers(world, tenantId, 2);
    const claim = await openClaim(tenant, first(codes), users[0] ?? '');
    // The process dies behind its COMMIT: the redemption stands, the claim stays open in Redis.
    const key = `{${tenantId}}:claims:${claim.digest}`;
    const stored = (await world.stores.redis.hget(key, claim.redemptionId)) ?? '';
    await world.services.settlement.settle(claim);
    await world.stores.redis.hset(key, claim.redemptionId, stored);
    await world.stores.redis.zadd(`{${tenantId}}:open`, 1, `${claim.redemptionId}|${claim.digest}`);
    expect(outcomeOf(await redeem(other, tenantId, users[1] ?? '', first(codes)))).toBe('CODE_HELD');

    await other.services.lateConfirms.watch(tenantId, [
      { redemptionId: claim.redemptionId, digest: claim.digest },
    ]);
    await vi.waitFor(async () => expect(await openClaims(world, tenantId)).toBe(0), 10_000);
    expect(await world.stores.redis.hlen(key)).toBe(0);
    expect(outcomeOf(await redeem(other, tenantId, users[1] ?? '', first(codes)))).toBe('COMMITTED');
    expect(await factsOf(world, tenantId)).toEqual(factsAfter(2));
  });
});

describe('copies in Redis', () => {
  it('do not outlive a change by staff that a confirm overtakes', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 1, { rule: { useLimit: 2 } });
    const users = await seedUsers(world, tenant.tenantId, 4);
    const claim = await openClaim(tenant, first(codes), users[0] ?? '');
    const em = emOf(world, tenant.tenantId);
    const row = await em.findOneOrFail(Code, { codeText: first(codes) });
    // The change is committed, but its word to Redis is late: the confirm of a later commit comes first.
    await em.nativeUpdate(Code, { id: row.id }, { useLimit: 50, version: row.version + 1 });
    await world.services.settlement.settle(claim);
    await world.services.copies.evict(tenant.tenantId, claim.digest, row.version + 1);
    for (const userId of users.slice(1)) {
      expect(outcomeOf(await redeem(world, tenant.tenantId, userId, first(codes)))).toBe('COMMITTED');
    }
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
    await forget(tenant.tenantId);
    for (let i = 0; i < 3; i += 1) {
      const again = await redeem(world, tenant.tenantId, userId, first(codes));
      expect(outcomeOf(again)).toBe('ALREADY_REDEEMED');
      expect(again.redemption?.id).toBe(answer.redemption?.id);
    }
    expect(await factsOf(world, tenant.tenantId)).toEqual({ ...factsAfter(1), tombstones: 1 });
  });

  it('heal a forgotten key: it is replayed without a further claim, and not counted', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 1, { rule: { useLimit: 9 } });
    const userId = await seedUser(world, tenant.tenantId);
    const asked = async () =>
      redeem(world, tenant.tenantId, userId, first(codes), { productCode: 'APP_A', idempotencyKey: 'k' });
    const answer = await asked();
    await forget(tenant.tenantId);
    for (let i = 0; i < 3; i += 1) expect(await asked()).toEqual(answer);
    expect(await factsOf(world, tenant.tenantId)).toEqual({ ...factsAfter(1), tombstones: 1 });
    expect(await world.stores.redis.zcard(`{${tenant.tenantId}}:rate:line:APP_A`)).toBe(0);
  });
});
