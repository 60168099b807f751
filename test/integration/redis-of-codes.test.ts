import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { codeKeys } from '../../src/codes/code-copy.service.js';
import {
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUsers,
  type SeededTenant,
  type World,
} from '../support/world.js';

const MINUTE_MS = 60_000;
const UNKNOWN_MAX = 10_000;

let world: World;
let tenant: SeededTenant;
beforeAll(async () => {
  world = await openWorld();
});
beforeEach(async () => {
  tenant = await seedTenant(world);
});
afterAll(async () => world?.close());

/** The tenant's keys of these kinds, and how long each still lives; -1 without an end. */
async function lives(...kinds: string[]): Promise<Record<string, number>> {
  const { redis } = world.stores;
  const found: Record<string, number> = {};
  for (const kind of kinds)
    for (const key of await redis.keys(`{${tenant.tenantId}}:${kind}:*`)) found[key] = await redis.pttl(key);
  return found;
}

describe('what Redis holds of codes', () => {
  it('is nothing of untouched ones, and is held of others for a minute at most', async () => {
    const { codes } = await seedCampaign(world, tenant, 4);
    const shared = await seedCampaign(world, tenant, 1, { rule: { useLimit: 5 } });
    const kinds = ['code', 'claims', 'redemption_lock'];
    expect(await lives(...kinds)).toEqual({});
    const { tenantId } = tenant;
    const [first = '', second = ''] = await seedUsers(world, tenantId, 2);
    const wanted = [codes[0] ?? '', codes[1] ?? '', shared.codes[0] ?? ''];
    for (const code of wanted)
      expect(outcomeOf(await redeem(world, tenantId, first, code))).toBe('COMMITTED');
    expect(outcomeOf(await redeem(world, tenantId, second, wanted[0] ?? ''))).toBe('CODE_EXHAUSTED');
    const left = Object.values(await lives(...kinds));
    expect(left).toHaveLength(wanted.length);
    for (const ttlMs of left) {
      expect(ttlMs).toBeGreaterThan(0);
      expect(ttlMs).toBeLessThanOrEqual(MINUTE_MS);
    }
  });
});

describe('unknown codes', () => {
  const unknownOf = (count: number, like: string): string[] =>
    Array.from({ length: count }, (_, at) => `${like.slice(0, -4)}${'ABCDEFGH'.charAt(at)}ZZZ`);
  const ask = async (userId: string, code: string): Promise<string> =>
    outcomeOf(await redeem(world, tenant.tenantId, userId, code));

  it('cost one read of the database a minute each, however many ask', async () => {
    const { codes } = await seedCampaign(world, tenant, 1);
    const users = await seedUsers(world, tenant.tenantId, 3);
    const reads = vi.spyOn(world.services.copies, 'noteUnknown');
    const unknown = unknownOf(2, codes[0] ?? '');
    for (const userId of users)
      for (const code of unknown) expect(await ask(userId, code)).toBe('CODE_NOT_FOUND');
    expect(reads).toHaveBeenCalledTimes(unknown.length);
    reads.mockRestore();
    const key = codeKeys.unknown(tenant.tenantId);
    expect(await world.stores.redis.pttl(key)).toBeGreaterThan(0);
    expect(await world.stores.redis.pttl(key)).toBeLessThanOrEqual(MINUTE_MS);
  });

  it('X.19 are held up to 10,000 for a tenant, and for a minute', async () => {
    const { codes } = await seedCampaign(world, tenant, 1);
    const [userId = ''] = await seedUsers(world, tenant.tenantId, 1);
    const [first = '', beyond = '', later = ''] = unknownOf(3, codes[0] ?? '');
    expect(await ask(userId, first)).toBe('CODE_NOT_FOUND');
    const { redis } = world.stores;
    const key = codeKeys.unknown(tenant.tenantId);
    const fill = async (untilMs: number): Promise<void> => {
      const members = Array.from({ length: UNKNOWN_MAX }, (_, at) => [untilMs, `other-${at}`]).flat();
      await redis.del(key);
      await redis.zadd(key, ...members);
      await redis.pexpire(key, MINUTE_MS);
    };
    await fill(Date.now() + MINUTE_MS);
    expect(await ask(userId, beyond)).toBe('CODE_NOT_FOUND');
    expect(await redis.zcard(key)).toBe(UNKNOWN_MAX);
    await fill(Date.now() - 1000);
    expect(await ask(userId, later)).toBe('CODE_NOT_FOUND');
    expect(await redis.zcard(key)).toBe(1);
  });
});
