import { afterAll, beforeAll, expect, it } from 'vitest';
import { migrateUp } from '../../src/migrations/migrate.js';
import { connectOrm, systemEm } from '../../src/platform/database/orm.js';
import { keyDigest } from '../../src/platform/key-digest.js';
import { Redemption } from '../../src/redemption/history/redemption.entity.js';
import { keysOf } from '../support/redis-keys.js';
import { forget, openClaim } from '../support/open-claim.js';
import { deferRedemption, jobsOf, seedCode } from '../support/deferred.js';
import { migrateBack } from '../support/migrate-back.js';
import { createScratchDatabase } from '../support/scratch-database.js';
import { emOf, openWorld, outcomeOf, redeem, type World } from '../support/world.js';

const SECRET = 'order-of-somebody@example.org';
const KEY = { idempotencyKey: SECRET };
const MIGRATION = 'Migration20261128070001_digest_idempotency_keys_of_redemptions';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

/** Every key of the tenant and of its jobs, with what it holds. */
async function dumpOf(tenantId: string): Promise<string> {
  const { redis } = world.stores;
  const keys = [...(await keysOf(redis, `{${tenantId}}:*`)), ...(await jobsOf(world, tenantId))];
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
  await world.services.pendingRedemptions.defer(tenantId, [claim]);
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
  const claim = await deferRedemption(world, seeded, SECRET);
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

it('X.16 an old row still answers its key after the migration has digested it, and after it is made again', async () => {
  const { databaseUrl, drop } = await createScratchDatabase();
  const old = await openWorld({}, { databaseUrl });
  const { tenantId, userId, code } = await seedCode(old, 2);
  const answer = await redeem(old, tenantId, userId, code, KEY);
  await migrateBack(databaseUrl, MIGRATION);
  // As an older version left it: without what grants keep since.
  const rewards = answer.redemption?.rewards.map((grant) => ({
    ...grant,
    periodFrom: null,
    periodUntil: null,
  }));
  const known = { ...answer, redemption: { ...answer.redemption, rewards } };
  const params = [SECRET, tenantId];
  await emOf(old, tenantId).execute('update redemption set idempotency_key = ? where tenant_id = ?', params);
  for (let made = 1; made <= 2; made += 1) {
    if (made > 1) await migrateBack(databaseUrl, MIGRATION);
    await migrateUp(databaseUrl);
    await forget(old, tenantId);
    expect(await redeem(old, tenantId, userId, code, KEY)).toEqual(known);
  }
  await old.close();
  await drop();
});

it('X.16 the migration digests more keys than one step takes, and resumes after a run that was ended', async () => {
  const { databaseUrl, drop } = await createScratchDatabase();
  const orm = await connectOrm({ databaseUrl, poolSize: 2, entities: [] });
  const em = systemEm(orm);
  const undigested = async () => {
    const [row] = await em.execute<[{ rows: string }]>(
      "select count(*) as `rows` from redemption where idempotency_key not like 'sha256:%'",
    );
    return Number(row.rows);
  };
  try {
    await migrateBack(databaseUrl, MIGRATION);
    const numbers = Array.from({ length: 5 }, (_, place) => `(${DIGITS}) t${place}`).join(', ');
    await em.execute(
      `insert into redemption (tenant_id, id, status, code_id, campaign_id, batch_id, user_id, use_no, user_use_no,
          idempotency_key, product_code, claimed_at, settled_at)
        select concat('T_', n % 2), 1 + n, 'COMMITTED', 1, 1, 1, 1 + n, 1 + n, 1, concat('order-', n), 'WEB', now(3), now(3)
        from (select t0.d + 10 * t1.d + 100 * t2.d + 1000 * t3.d + 10000 * t4.d as n from ${numbers}) numbers
        where n < 30000`,
    );
    // The second step of the second tenant fails, as a connection that breaks there.
    await em.execute(`create trigger breaks before update on redemption for each row
      if old.tenant_id = 'T_1' and old.id > 25000 then signal sqlstate '45000' set message_text = 'Broken'; end if`);
    await expect(migrateUp(databaseUrl)).rejects.toThrow('Broken');
    expect(await undigested()).toBe(5000);
    await em.execute('drop trigger breaks');
    await migrateUp(databaseUrl);
    expect(await undigested()).toBe(0);
    const [{ key }] = await em.execute<[{ key: string }]>(
      'select idempotency_key as `key` from redemption where id = 1',
    );
    expect(key).toBe(keyDigest('T_0', '1', 'order-0'));
  } finally {
    await orm.close();
    await drop();
  }
});

const DIGITS = Array.from({ length: 10 }, (_, digit) => `select ${digit} as d`).join(' union all ');
