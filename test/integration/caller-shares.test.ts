import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUsers,
  tally,
  type RedeemOptions,
  type SeededTenant,
  type World,
} from '../support/world.js';

let world: World;
beforeAll(async () => {
  // Counts are asked for, and no answer may come before its commit.
  world = await openWorld({ REPLY_WITHIN_MS: '20000', CLAIM_DEADLINE_MS: '60000' });
});
afterAll(async () => world?.close());

/** A tenant with a product line of this hourly limit, and a code that everybody may use once. */
async function seeded(hourLimit: number) {
  const tenant: SeededTenant = await seedTenant(world);
  await world.services.lines.create(tenant.tenantId, {
    code: 'SMALL',
    name: 'Small',
    hourLimit,
    dayLimit: 0,
  });
  const { codes } = await seedCampaign(world, tenant, 1, { rule: { useLimit: 0 } });
  const attempt = async (userId: string, options: RedeemOptions = {}) =>
    redeem(world, tenant.tenantId, userId, codes[0] ?? '', { productCode: 'SMALL', ...options });
  const members = async (name: string): Promise<number> =>
    world.stores.redis.zcard(`{${tenant.tenantId}}:rate:${name}`);
  return { tenantId: tenant.tenantId, attempt, members };
}

const times = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

describe('X.19 a single caller of a product line', () => {
  it('X.19 leaves a line of five attempts to others, whatever one user tries', async () => {
    const { tenantId, attempt } = await seeded(5);
    const [first = '', ...others] = await seedUsers(world, tenantId, 6);
    const greedy = [];
    for (const _ of times(5)) greedy.push(await attempt(first));
    expect(tally(greedy)).toEqual({ COMMITTED: 1, RATE_LIMITED: 4 });
    expect(greedy.at(-1)?.refusal?.retryAfterMs).toBeGreaterThan(3_500_000);
    const rest = [];
    for (const userId of others) rest.push(await attempt(userId));
    expect(tally(rest)).toEqual({ COMMITTED: 4, RATE_LIMITED: 1 });
  });

  it('X.19 gets exactly its share when it asks many times at once', async () => {
    const { tenantId, attempt, members } = await seeded(100);
    const [userId = ''] = await seedUsers(world, tenantId, 1);
    const answers = await Promise.all(times(60).map(async () => attempt(userId)));
    expect(tally(answers)['RATE_LIMITED']).toBe(40);
    expect(await members(`user:SMALL:${userId}`)).toBe(20);
    expect(await members('line:SMALL')).toBe(20);
  });

  it('X.19 is a device, too, whose users share a fifth', async () => {
    const { tenantId, attempt } = await seeded(10);
    const users = await seedUsers(world, tenantId, 4);
    const outcomes = [];
    for (const userId of users) outcomes.push(outcomeOf(await attempt(userId, { deviceId: 'tablet:1' })));
    expect(outcomes).toEqual(['COMMITTED', 'COMMITTED', 'RATE_LIMITED', 'RATE_LIMITED']);
    expect(outcomeOf(await attempt(users[2] ?? '', { deviceId: 'tablet:2' }))).toBe('COMMITTED');
  });

  it('X.19 is an address, too, of IPv6 its network, whose users share a half', async () => {
    const { tenantId, attempt } = await seeded(8);
    const users = await seedUsers(world, tenantId, 9);
    const outcomes = [];
    for (const [at, userId] of users.slice(0, 6).entries())
      outcomes.push(outcomeOf(await attempt(userId, { ip: `2001:db8:1:2::${at}` })));
    expect(outcomes).toEqual([...Array<string>(4).fill('COMMITTED'), 'RATE_LIMITED', 'RATE_LIMITED']);
    expect(outcomeOf(await attempt(users[6] ?? '', { ip: '2001:db8:1:3::1' }))).toBe('COMMITTED');
    expect(outcomeOf(await attempt(users[7] ?? '', { ip: '192.0.2.1' }))).toBe('COMMITTED');
  });

  it('X.19 is not an address of the server itself: behind a proxy that says nothing all clients have it', async () => {
    const { tenantId, attempt } = await seeded(4);
    const users = await seedUsers(world, tenantId, 4);
    const answers = [];
    for (const userId of users) answers.push(await attempt(userId, { ip: '127.0.0.1' }));
    expect(tally(answers)).toEqual({ COMMITTED: 4 });
  });
});

it('X.19 an attempt is counted in all of its windows or in none', async () => {
  const { tenantId, attempt, members } = await seeded(10);
  const [a = '', b = '', c = ''] = await seedUsers(world, tenantId, 3);
  const from = { deviceId: 'd', ip: '192.0.2.7' };
  await attempt(a, from);
  await attempt(b, from);
  // The device has no attempt left.
  expect(outcomeOf(await attempt(c, from))).toBe('RATE_LIMITED');
  expect(await members('line:SMALL')).toBe(2);
  expect(await members('ip:SMALL:192.0.2.7')).toBe(2);
  expect(await members(`user:SMALL:${c}`)).toBe(0);
});

it('X.19 a replay of a known key is counted nowhere', async () => {
  const { tenantId, attempt, members } = await seeded(10);
  const [userId = ''] = await seedUsers(world, tenantId, 1);
  const options = { idempotencyKey: 'k', deviceId: 'd', ip: '192.0.2.8' };
  for (const _ of times(6)) expect(outcomeOf(await attempt(userId, options))).toBe('COMMITTED');
  for (const name of ['line:SMALL', 'ip:SMALL:192.0.2.8', 'device:SMALL:d', `user:SMALL:${userId}`])
    expect(await members(name)).toBe(1);
});

it('a line without a limit has no shares, and leaves no window behind', async () => {
  const { tenantId, attempt } = await seeded(0);
  const [userId = ''] = await seedUsers(world, tenantId, 1);
  await Promise.all(times(30).map(async () => attempt(userId, { deviceId: 'd', ip: '192.0.2.9' })));
  expect(await world.stores.redis.keys(`{${tenantId}}:rate:*`)).toEqual([]);
});
