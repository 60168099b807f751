import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  openWorld,
  redeem,
  seedCampaign,
  seedTenant,
  seedUser,
  tally,
  type World,
} from '../support/world.js';

let world: World;
beforeAll(async () => {
  // Without lock-outs: what a caller can make Redis hold must not depend on them.
  world = await openWorld({ LOCKOUT_USER_FAILURES: '0' });
});
afterAll(async () => world?.close());

const ALPHABET = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789';
const guess = (): string => [...randomBytes(16)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');

async function held(tenantId: string): Promise<Record<string, { keys: number; bytes: number }>> {
  const found: Record<string, { keys: number; bytes: number }> = {};
  const { redis } = world.stores;
  for (const key of await redis.keys(`{${tenantId}}:*`)) {
    const kind = /^\{[^}]+\}:(?:rate:)?(\w+)/.exec(key)?.[1] ?? key;
    const { keys, bytes } = found[kind] ?? { keys: 0, bytes: 0 };
    found[kind] = { keys: keys + 1, bytes: bytes + Number(await redis.memory('USAGE', key, 'SAMPLES', 0)) };
  }
  return found;
}

async function flood(tenantId: string, userId: string, productCode: string, count: number) {
  const answers = [];
  for (let done = 0; done < count; done += 200)
    answers.push(
      ...(await Promise.all(
        Array.from({ length: 200 }, async (_, at) =>
          redeem(world, tenantId, userId, guess(), {
            productCode,
            idempotencyKey: `k-${done + at}`,
            deviceId: `d-${done + at}`,
            ip: `198.51.${(done + at) % 250}.${at}`,
          }),
        ),
      )),
    );
  return tally(answers);
}

it('X.19 a caller without a limit makes Redis hold no key of its own, and 10,000 unknown codes a tenant', async () => {
  const tenant = await seedTenant(world);
  await seedCampaign(world, tenant, 1);
  const userId = await seedUser(world, tenant.tenantId);
  const answers = await flood(tenant.tenantId, userId, 'DEMO', 3000);
  expect(answers).toEqual({ CODE_NOT_FOUND: 3000 });
  const found = await held(tenant.tenantId);
  expect(Object.keys(found).toSorted()).toEqual(['epoch', 'unknown']);
  expect(found['unknown']?.bytes).toBeLessThan(3000 * 200);
  const digests = Array.from({ length: 10_100 }, (_, at) =>
    createHash('sha256').update(String(at)).digest('base64url'),
  );
  const { copies } = world.services;
  const epoch = await copies.epoch(tenant.tenantId);
  await Promise.all(digests.map(async (digest) => copies.noteUnknown(tenant.tenantId, digest, epoch)));
  expect(await world.stores.redis.zcard(`{${tenant.tenantId}}:unknown`)).toBe(10_000);
  expect((await held(tenant.tenantId))['unknown']?.bytes).toBeLessThan(2_000_000);
});

it('X.19 a caller with a limit makes Redis hold at most 1 KB for each attempt of its share, whatever it invents', async () => {
  const tenant = await seedTenant(world);
  await seedCampaign(world, tenant, 1);
  const { tenantId } = tenant;
  await world.services.lines.create(tenantId, {
    code: 'SHOP',
    name: 'Shop',
    hourLimit: 1000,
    dayLimit: 2000,
  });
  const userId = await seedUser(world, tenantId);
  const answers = await flood(tenantId, userId, 'SHOP', 1000);
  // A fifth of the limit.
  expect(answers).toEqual({ CODE_NOT_FOUND: 200, RATE_LIMITED: 800 });
  const found = await held(tenantId);
  expect(found['key']).toBeUndefined();
  expect(found['device']?.keys).toBe(200);
  expect(found['user']?.keys).toBe(1);
  const bytes = Object.values(found).reduce((sum, each) => sum + each.bytes, 0);
  expect(bytes).toBeLessThan(200 * 1024);
  for (const key of await world.stores.redis.keys(`{${tenantId}}:rate:*`))
    expect(await world.stores.redis.pttl(key)).toBeGreaterThan(0);
});

it('X.19 idempotency keys are remembered for redemptions, and never for refusals', async () => {
  const tenant = await seedTenant(world);
  const { tenantId } = tenant;
  const { codes } = await seedCampaign(world, tenant, 1);
  const userId = await seedUser(world, tenantId);
  await redeem(world, tenantId, userId, codes[0] ?? '', { idempotencyKey: 'first' });
  for (let at = 0; at < 50; at += 1)
    await redeem(world, tenantId, userId, codes[0] ?? '', { idempotencyKey: `again-${at}` });
  expect((await held(tenantId))['key']?.keys).toBe(1);
});
