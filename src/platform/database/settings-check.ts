import type { MikroORM } from '@mikro-orm/core';
import type { Redis, RedisNode } from '../redis/redis.js';
import { mastersOf } from '../redis/redis-nodes.js';
import { systemEm } from './orm.js';

interface RequiredSetting {
  readonly name: string;
  readonly value: string;
  /** What goes wrong otherwise. */
  readonly why: string;
}

/** A setting that a server does not know is passed over: MariaDB and MySQL, with and without a binlog, differ. */
const DATABASE_SETTINGS: readonly RequiredSetting[] = [
  {
    name: 'innodb_flush_log_at_trx_commit',
    value: '1',
    why: 'a power cut loses redemptions that were answered',
  },
  {
    name: 'innodb_rollback_on_timeout',
    value: 'ON',
    why: 'a lock wait time-out leaves half a transaction open',
  },
  { name: 'innodb_snapshot_isolation', value: 'ON', why: 'a transaction can overwrite what it has not seen' },
  {
    name: 'transaction_isolation',
    value: 'READ-COMMITTED',
    why: 'reads are judged by rows that are out of date',
  },
  { name: 'tx_isolation', value: 'READ-COMMITTED', why: 'reads are judged by rows that are out of date' },
];
const BINLOG_SETTING: RequiredSetting = {
  name: 'sync_binlog',
  value: '1',
  why: 'a power cut loses redemptions that were answered',
};

const GALERA =
  'The database is a node of a Galera cluster: all processes must use one and the same node, because limits are kept by locks that other nodes do not see.';

const REDIS_SETTINGS: readonly RequiredSetting[] = [
  {
    name: 'maxmemory-policy',
    value: 'noeviction',
    why: 'Redis may drop open claims when it runs out of memory',
  },
  { name: 'appendonly', value: 'yes', why: 'open claims are lost when Redis restarts' },
];

/**
 * Reads the settings that durability and isolation rest on, as our own sessions have them, and answers a sentence for
 * each that is off. Only warns: what is off may be wanted, e.g. in a test.
 */
export async function settingsWarnings(orm: MikroORM, redis: Redis): Promise<string[]> {
  const [database, stores] = await Promise.all([databaseSettings(orm), settingsOfMasters(redis)]);
  const required =
    database.get('log_bin') === 'ON' ? [...DATABASE_SETTINGS, BINLOG_SETTING] : DATABASE_SETTINGS;
  const ofRedis = stores.flatMap((store) => deviations('Redis', REDIS_SETTINGS, store));
  const ofGalera = database.get('wsrep_on') === 'ON' ? [GALERA] : [];
  return [...deviations('database', required, database), ...ofGalera, ...new Set(ofRedis)];
}

function deviations(
  where: string,
  required: readonly RequiredSetting[],
  actual: ReadonlyMap<string, string>,
): string[] {
  return required
    .filter(({ name, value }) => (actual.get(name) ?? value).toUpperCase() !== value.toUpperCase())
    .map(
      ({ name, value, why }) =>
        `The ${where} setting ${name} is ${actual.get(name)}, it must be ${value}: ${why}.`,
    );
}

async function databaseSettings(orm: MikroORM): Promise<ReadonlyMap<string, string>> {
  const names = ['log_bin', 'wsrep_on', BINLOG_SETTING.name, ...DATABASE_SETTINGS.map(({ name }) => name)];
  const rows = await systemEm(orm).execute<{ Variable_name: string; Value: string }[]>(
    'show session variables where variable_name in (?)',
    [names],
  );
  return new Map(rows.map((row) => [row.Variable_name.toLowerCase(), row.Value]));
}

async function settingsOfMasters(redis: Redis): Promise<ReadonlyMap<string, string>[]> {
  const masters = await mastersOf(redis).catch(() => []);
  return Promise.all(masters.map(redisSettings));
}

/** Hosted Redis often refuses CONFIG; what cannot be read is not warned of. */
async function redisSettings(redis: RedisNode): Promise<ReadonlyMap<string, string>> {
  const settings = new Map<string, string>();
  for (const { name } of REDIS_SETTINGS) {
    const reply = await redis.config('GET', name).catch(() => null);
    const value = Array.isArray(reply) ? reply[1] : (reply as Record<string, string> | null)?.[name];
    if (typeof value === 'string') settings.set(name, value);
  }
  return settings;
}
