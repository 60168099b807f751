import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LimitsRedis } from '../../src/limits/limits.redis.js';
import { NO_LIMITS } from '../../src/limits/rate-limit.service.js';
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
  type RedeemOptions,
  type World,
} from '../support/world.js';
import { Code } from '../../src/codes/code.entity.js';

const FREE = { user: 5, device: 7, ip: 9, tenant: 12 };

let world: World;
beforeAll(async () => {
  world = await openWorld({
    LOCKOUT_USER_FAILURES: String(FREE.user),
    LOCKOUT_DEVICE_FAILURES: String(FREE.device),
    LOCKOUT_ADDRESS_FAILURES: String(FREE.ip),
    LOCKOUT_TENANT_FAILURES: String(FREE.tenant),
  });
});
afterAll(async () => world?.close());

const ALPHABET = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789';
/** A code that fits the format and was never issued. */
const guess = (): string => [...randomBytes(16)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');

async function seeded() {
  const tenant = await seedTenant(world);
  const { tenantId } = tenant;
  const { codes } = await seedCampaign(world, tenant, 5);
  const attempt = async (userId: string, code = guess(), options: RedeemOptions = {}) =>
    outcomeOf(await redeem(world, tenantId, userId, code, options));
  const fail = async (userId: string, count: number, options: RedeemOptions = {}): Promise<string[]> => {
    const outcomes = [];
    for (let at = 0; at < count; at += 1) outcomes.push(await attempt(userId, guess(), options));
    return outcomes;
  };
  const key = (name: string): string => `{${tenantId}}:lockout:${name}`;
  /** As if the wait were over. */
  const waited = async (name: string) => world.stores.redis.hset(key(name), 'until_ms', 0);
  /** As if its wait were long. */
  const locked = async (name: string, free = 0) => {
    expect(Number(await world.stores.redis.hget(key(name), 'level'))).toBeGreaterThan(free);
    await world.stores.redis.hset(key(name), 'until_ms', Date.now() + 7_200_000);
  };
  return { tenantId, codes, attempt, fail, key, waited, locked };
}

const missed = (count: number): string[] => Array<string>(count).fill('CODE_NOT_FOUND');

describe('X.5 a guesser is locked out', () => {
  it('X.5 after some failures, for a time that grows up to an hour, with codes that exist, too', async () => {
    const { tenantId, codes, fail, key, waited } = await seeded();
    const [guesser = '', other = ''] = await seedUsers(world, tenantId, 2);
    expect(await fail(guesser, FREE.user + 1)).toEqual(missed(FREE.user + 1));
    const waits: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      const refused = await redeem(world, tenantId, guesser, codes[0] ?? '');
      expect(outcomeOf(refused)).toBe('RATE_LIMITED');
      waits.push(refused.refusal?.retryAfterMs ?? 0);
      await waited(`user:${guesser}`);
      await waited('tenant');
      expect(await fail(guesser, 1)).toEqual(missed(1));
    }
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
    expect(waits[0]).toBeGreaterThan(1000);
    expect(Math.max(...waits)).toBeGreaterThan(3_500_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(3_600_000);
    // Another user is not concerned, and a wait that is over lets the guesser in.
    expect(outcomeOf(await redeem(world, tenantId, other, codes[0] ?? ''))).toBe('COMMITTED');
    await waited(`user:${guesser}`);
    await waited('tenant');
    expect(outcomeOf(await redeem(world, tenantId, guesser, codes[1] ?? ''))).toBe('COMMITTED');
    expect(await world.stores.redis.pttl(key(`user:${guesser}`))).toBeGreaterThan(0);
  });

  it('X.5 by its device: each further user gets one guess, and one who guesses nothing redeems', async () => {
    const { tenantId, codes, fail, attempt, locked } = await seeded();
    const [first = '', second = '', third = '', honest = ''] = await seedUsers(world, tenantId, 4);
    const options = { deviceId: 'tablet' };
    await fail(first, 4, options);
    await fail(second, 4, options);
    await locked('device:tablet', FREE.device);
    expect(await attempt(first, codes[0], options)).toBe('RATE_LIMITED');
    expect(await fail(third, 2, options)).toEqual(['CODE_NOT_FOUND', 'RATE_LIMITED']);
    expect(await attempt(honest, codes[0], options)).toBe('COMMITTED');
    expect(await attempt(first, codes[1], { deviceId: 'another' })).toBe('COMMITTED');
  });

  it('X.5 by its address, whichever users and devices it uses, and no other caller behind that address', async () => {
    const { tenantId, codes, fail, attempt, locked } = await seeded();
    const [honest = '', last = '', ...users] = await seedUsers(world, tenantId, 5);
    const ip = '192.0.2.1';
    for (const [at, userId] of users.entries()) await fail(userId, 4, { ip, deviceId: `d${at}` });
    await locked(`ip:${ip}`, FREE.ip);
    expect(await fail(last, 2, { ip })).toEqual(['CODE_NOT_FOUND', 'RATE_LIMITED']);
    expect(await attempt(users[0] ?? '', codes[0], { ip })).toBe('RATE_LIMITED');
    expect(await attempt(honest, codes[0], { ip })).toBe('COMMITTED');
    expect(await attempt(users[0] ?? '', codes[1], { ip: '192.0.2.2' })).toBe('COMMITTED');
  });

  it('X.5 by the tenant, when many users guess once: those who failed wait, and all others redeem', async () => {
    const { tenantId, codes, attempt, locked } = await seeded();
    const guessers = await seedUsers(world, tenantId, FREE.tenant + 2);
    const honest = await seedUser(world, tenantId);
    for (const userId of guessers) expect(await attempt(userId)).toBe('CODE_NOT_FOUND');
    await locked('tenant', FREE.tenant);
    expect(await attempt(guessers[0] ?? '', codes[0])).toBe('RATE_LIMITED');
    expect(await attempt(honest, codes[0])).toBe('COMMITTED');
  });

  it('X.5 by others for an hour at most after its own last failure', async () => {
    const { tenantId, codes, attempt, locked, key } = await seeded();
    const userId = await seedUser(world, tenantId);
    const options = { ip: '192.0.2.3' };
    await attempt(userId, guess(), options);
    await locked('ip:192.0.2.3');
    const refused = await redeem(world, tenantId, userId, codes[0] ?? '', options);
    expect(outcomeOf(refused)).toBe('RATE_LIMITED');
    expect(refused.refusal?.retryAfterMs).toBeLessThanOrEqual(3_600_000);
    await world.stores.redis.hincrby(key(`user:${userId}`), 'at_ms', -3_600_000);
    expect(await attempt(userId, codes[0], options)).toBe('COMMITTED');
  });

  it('X.5 with one guess a wait, when it sends many at once', async () => {
    const { tenantId, fail, waited } = await seeded();
    const userId = await seedUser(world, tenantId);
    await fail(userId, FREE.user + 1);
    await waited(`user:${userId}`);
    const burst = await Promise.all(
      Array.from({ length: 30 }, async () => redeem(world, tenantId, userId, guess())),
    );
    expect(tally(burst)).toEqual({ CODE_NOT_FOUND: 1, RATE_LIMITED: 29 });
  });

  it('X.5 exactly, when it repeats one code that Redis knows to be none', async () => {
    const { tenantId } = await seeded();
    const [first = '', userId = ''] = await seedUsers(world, tenantId, 2);
    const code = guess();
    await redeem(world, tenantId, first, code);
    const burst = await Promise.all(
      Array.from({ length: 30 }, async () => redeem(world, tenantId, userId, code)),
    );
    expect(tally(burst)).toEqual({ CODE_NOT_FOUND: FREE.user + 1, RATE_LIMITED: 30 - FREE.user - 1 });
  });

  it('X.5 through previews as through redemptions', async () => {
    const { tenantId, codes, attempt } = await seeded();
    const userId = await seedUser(world, tenantId);
    const request = { tenantId, userId, productCode: 'DEMO', deviceId: null, idempotencyKey: null };
    for (let at = 0; at <= FREE.user; at += 1)
      expect((await world.services.previews.preview({ ...request, code: guess() })).refusal?.code).toBe(
        'CODE_NOT_FOUND',
      );
    expect(await attempt(userId, codes[0])).toBe('RATE_LIMITED');
  });

  it('X.5 for codes of others as for codes that are not there, and not for what merely cannot be redeemed', async () => {
    const { tenantId, codes, attempt } = await seeded();
    const [owner = '', userId = ''] = await seedUsers(world, tenantId, 2);
    const em = emOf(world, tenantId);
    await em.nativeUpdate(Code, { codeText: codes[0] ?? '' }, { assignedUserId: owner });
    await em.nativeUpdate(Code, { codeText: codes[1] ?? '' }, { status: 'DISABLED' });
    await redeem(world, tenantId, owner, codes[2] ?? '');
    for (let at = 0; at < 10; at += 1) {
      expect(await attempt(userId, codes[1])).toBe('CODE_INACTIVE');
      expect(await attempt(userId, codes[2])).toBe('CODE_EXHAUSTED');
      expect(await attempt(userId, 'no code')).toBe('CODE_MALFORMED');
    }
    for (let at = 0; at <= FREE.user; at += 1) expect(await attempt(userId, codes[0])).toBe('CODE_NOT_YOURS');
    expect(await attempt(userId, codes[3])).toBe('RATE_LIMITED');
  });
});

it('X.5 failures are forgotten within an hour', async () => {
  const { tenantId, fail, key } = await seeded();
  const userId = await seedUser(world, tenantId);
  await fail(userId, FREE.user);
  const name = key(`user:${userId}`);
  await world.stores.redis.hincrby(name, 'at_ms', -3_600_000);
  expect(await fail(userId, FREE.user)).toEqual(missed(FREE.user));
  expect(await fail(userId, 1)).toEqual(missed(1));
  expect(await fail(userId, 1)).toEqual(['RATE_LIMITED']);
});

it('a failure that Redis counts twice is counted once', async () => {
  const { tenantId, key } = await seeded();
  const redis = new LimitsRedis(world.stores.redis);
  const lockOuts = [{ key: key('user:1'), scope: 'USER' as const, failuresFree: 5 }];
  const limits = { ...NO_LIMITS, lockOuts };
  for (const id of ['7', '7', '8']) await redis.noteFailure(id, limits);
  expect(Number(await world.stores.redis.hget(key('user:1'), 'level'))).toBeCloseTo(2, 2);
  expect(tenantId).not.toBe('');
});

it('X.5 a known idempotency key is answered while its user is locked out', async () => {
  const { tenantId, codes, fail } = await seeded();
  const userId = await seedUser(world, tenantId);
  const options = { idempotencyKey: 'mine' };
  const first = await redeem(world, tenantId, userId, codes[0] ?? '', options);
  await fail(userId, FREE.user + 1);
  const again = await redeem(world, tenantId, userId, codes[0] ?? '', options);
  expect([outcomeOf(again), again.orderNo]).toEqual(['COMMITTED', first.orderNo]);
});
