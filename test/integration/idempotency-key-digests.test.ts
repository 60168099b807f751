import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { migrateDown, migrateUp } from '../../src/migrations/migrate.js';
import { keyDigest } from '../../src/redemption/idempotency-key.js';
import { Redemption } from '../../src/redemption/redemption.entity.js';
import { forget, openClaim } from '../support/open-claim.js';
import { handedOver, jobsOf, seedCode } from '../support/promises.js';
import { createScratchDatabase } from '../support/scratch-database.js';
import { emOf, openWorld, outcomeOf, redeem, type World } from '../support/world.js';

const SECRET = 'order-of-somebody@example.org';
const KEY = { idempotencyKey: SECRET };
const MIGRATION = 'Migration20261128070001_digest_idempotency_keys_of_redemptions';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world.close());

/** Every key of the tenant and of its jobs, with what it holds. */
async function dumpOf(tenantId: string): Promise<string> {
  const { redis } = world.stores;
  const keys = [...(await redis.keys(`{${tenantId}}:*`)), ...(await jobsOf(world, tenantId))];
  const held = keys.map(async (key) => {
    switch (await redis.type(key)) {
      case 'hash':
        return redis.hgetall(key);
      case 'zset':
        return redis.zrange(key, '0', '-1');
      default:
        return redis.get(key);
    }
  });
  return JSON.stringify([keys, await Promise.all(held)]);
}

it("X.16 keeps a key as its digest: the caller's text is in no key of Redis, claim, job or row", async () => {
  const seeded = await seedCode(world, 2);
  const { tenantId, userId, code } = seeded;
  const claim = await openClaim(world, seeded, code, userId, SECRET);
  await world.services.pendingRedemptions.handOver(tenantId, [claim]);
  const digest = keyDigest(tenantId, userId, SECRET);
  const whileOpen = await dumpOf(tenantId);
  expect(whileOpen).toContain(`:key:${userId}:${digest}`);
  expect(whileOpen).not.toContain(SECRET);

  const answer = await redeem(world, tenantId, userId, code, KEY);
  expect(outcomeOf(answer)).toBe('COMMITTED');
  expect(await dumpOf(tenantId)).not.toContain(SECRET);
  const rows = await emOf(world, tenantId).find(Redemption, {});
  expect(rows.map(({ idempotencyKey }) => idempotencyKey)).toEqual([digest]);
});

it('X.16 a claim that an older version made with the key itself is settled under its digest', async () => {
  const seeded = await seedCode(world);
  const { tenantId, userId, code } = seeded;
  const claim = await handedOver(world, seeded, SECRET);
  const { redis } = world.stores;
  const claims = `{${tenantId}}:claims:${claim.digest}`;
  const stored = (await redis.hget(claims, claim.redemptionId)) ?? '';
  await redis.hset(claims, claim.redemptionId, stored.replace(claim.idempotencyKey ?? '', SECRET));
  const answer = await redeem(world, tenantId, userId, code, KEY);
  expect(answer).toMatchObject({
    status: 'COMMITTED',
    redemption: { id: claim.redemptionId, idempotencyKey: keyDigest(tenantId, userId, SECRET) },
  });
});

it('X.16 an old row goes on answering its key once the migration has digested it, and once it is made again', async () => {
  const { databaseUrl, drop } = await createScratchDatabase(inject('databaseUrl'));
  const old = await openWorld({}, { databaseUrl });
  const { tenantId, userId, code } = await seedCode(old, 2);
  const answer = await redeem(old, tenantId, userId, code, KEY);
  await migrateDownTo(databaseUrl, MIGRATION);
  // As an older version left it.
  const params = [SECRET, tenantId];
  await emOf(old, tenantId).execute('update redemption set idempotency_key = ? where tenant_id = ?', params);
  for (let made = 1; made <= 2; made += 1) {
    await migrateUp(databaseUrl);
    await forget(old, tenantId);
    expect(await redeem(old, tenantId, userId, code, KEY)).toEqual(answer);
    await migrateDownTo(databaseUrl, MIGRATION);
  }
  await old.close();
  await drop();
});

async function migrateDownTo(databaseUrl: string, name: string): Promise<void> {
  for (;;) {
    const taken = await migrateDown(databaseUrl);
    if (taken.includes(name)) return;
  }
}
