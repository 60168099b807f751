import type { MikroORM } from '@mikro-orm/core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { connectOrm, systemEm } from '../../src/platform/database/orm.js';
import { settingsWarnings } from '../../src/platform/database/settings-check.js';
import { connectRedis, type Redis } from '../../src/platform/redis/redis.js';

let orm: MikroORM;
let redis: Redis;

beforeAll(async () => {
  // One connection: what a test sets for the session is what the check sees, and no other test is touched.
  orm = await connectOrm({ databaseUrl: inject('databaseUrl'), poolSize: 1, entities: [] });
  redis = connectRedis(inject('redisUrl'), 1000);
});
afterAll(async () => {
  redis?.disconnect();
  await orm?.close(true);
});

/** Answers as a Redis with these settings would. */
function redisWith(settings: Record<string, string>): Redis {
  const config = async (_get: string, name: string): Promise<string[]> =>
    Promise.resolve([name, settings[name] ?? '']);
  return { config } as unknown as Redis;
}

const GOOD_REDIS = redisWith({ 'maxmemory-policy': 'noeviction', appendonly: 'yes' });

describe('the check of settings', () => {
  it('names a database setting that is off, what it is, what it must be and why', async () => {
    const before = await settingsWarnings(orm, GOOD_REDIS);
    const version = (await systemEm(orm).execute<[{ v: string }]>('select version() as v'))[0].v;
    const name = version.includes('MariaDB') ? 'tx_isolation' : 'transaction_isolation';
    await systemEm(orm).execute('set session transaction isolation level repeatable read');
    expect(await settingsWarnings(orm, GOOD_REDIS)).toEqual([
      ...before,
      `The database setting ${name} is REPEATABLE-READ, it must be READ-COMMITTED: reads are judged by rows that are out of date.`,
    ]);
    await systemEm(orm).execute('set session transaction isolation level read committed');
    expect(await settingsWarnings(orm, GOOD_REDIS)).toEqual(before);
  });

  it('says of a node of Galera that all processes must use it', async () => {
    const execute = async () => Promise.resolve([{ Variable_name: 'wsrep_on', Value: 'ON' }]);
    const galera = { em: { fork: () => ({ execute }) } } as unknown as MikroORM;
    expect(await settingsWarnings(galera, GOOD_REDIS)).toEqual([
      expect.stringMatching(/^The database is a node of a Galera cluster: all processes must use one/),
    ]);
  });

  it('names both Redis settings', async () => {
    const off = redisWith({ 'maxmemory-policy': 'allkeys-lru', appendonly: 'no' });
    const warnings = (await settingsWarnings(orm, off)).filter((warning) => warning.includes('Redis'));
    expect(warnings).toEqual([
      'The Redis setting maxmemory-policy is allkeys-lru, it must be noeviction: Redis may drop open claims when it runs out of memory.',
      'The Redis setting appendonly is no, it must be yes: open claims are lost when Redis restarts.',
    ]);
  });

  it('reads a real Redis', async () => {
    const policy = (await redis.config('GET', 'maxmemory-policy')) as unknown;
    expect(JSON.stringify(policy)).toContain('noeviction');
    const warnings = await settingsWarnings(orm, redis);
    expect(warnings.filter((warning) => warning.includes('maxmemory-policy'))).toEqual([]);
  });

  it('passes over a Redis that tells nothing', async () => {
    const mute = { config: async () => Promise.reject(new Error('ERR unknown command')) } as unknown as Redis;
    const warnings = await settingsWarnings(orm, mute);
    expect(warnings.filter((warning) => warning.includes('Redis'))).toEqual([]);
  });
});
