import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MikroORM } from '@mikro-orm/mysql';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { LocalServersBusyError } from '../../src/platform/local-servers/local-servers.errors.js';
import { startLocalServers, type LocalServers } from '../../src/platform/local-servers/local-servers.js';
import { findFreePort, probe } from '../../src/platform/local-servers/loopback.js';
import { migrateUp } from '../../src/migrations/migrate.js';
import { startPrivateMariadb } from '../../src/platform/local-servers/private-mariadb.js';
import { startPrivateRedis } from '../../src/platform/local-servers/private-redis.js';
import { present } from '../../src/platform/assert.js';
import { newDataFolder } from '../support/data-folder.js';
import { processesOn, processIds } from '../support/process-list.js';
import { onFreePorts, RedisServer } from '../support/redis-server.js';
import { placeDatabase } from '../support/test-servers.js';
import { commandLineOf, identifyProcess } from '../../src/platform/local-servers/process-identity.js';

const lines: string[] = [];
const log = (line: string): void => {
  lines.push(line);
};
const stops: (() => Promise<void>)[] = [];
let dataDir = '';

beforeEach(() => {
  lines.length = 0;
  // The space proves that folders with one work.
  dataDir = newDataFolder('redeemkit servers-');
});

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  rmSync(dataDir, { recursive: true, force: true });
});

async function startBoth(only: { database?: boolean } = {}): Promise<LocalServers> {
  if (only.database !== false) placeDatabase(inject('databaseTemplate'), dataDir);
  return startAsIs(only);
}

/** The same in a folder where the database may still have to be made. */
async function startAsIs(only: { database?: boolean } = {}): Promise<LocalServers> {
  const services = await startLocalServers({ dataDir, log, durable: false, ...only });
  stops.push(() => services.stop());
  return services;
}

async function query(url: string, sql: string): Promise<unknown> {
  const clientUrl = url.replace(/^mariadb:/, 'mysql:');
  const orm = await MikroORM.init({ clientUrl, entities: [], discovery: { warnWhenNoEntities: false } });
  try {
    return await orm.em.getConnection().execute(sql);
  } finally {
    await orm.close(true);
  }
}

async function redisCommand(url: string, ...command: [string, ...string[]]): Promise<unknown> {
  const redis = new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: () => null, lazyConnect: true });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    const [name, ...args] = command;
    return await redis.call(name, ...args);
  } finally {
    redis.disconnect();
  }
}

function pidOf(name: 'mariadb' | 'redis'): number {
  const record = JSON.parse(readFileSync(path.join(dataDir, 'run', `${name}.json`), 'utf8')) as {
    pid: number;
  };
  return record.pid;
}

/** The shell that ends the server should its parent be gone. */
function watchOf(pid: number): number {
  const watch = processIds().find((each) => commandLineOf(each).endsWith(` redeemkit-watch ${pid}`));
  return present(watch, 'The watch');
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(10);
}

describe('private servers', () => {
  it('has the settings the redemption protocol relies on', async () => {
    const services = await startLocalServers({ dataDir, log });
    stops.push(() => services.stop());
    const [settings] = (await query(
      services.databaseUrl,
      `SELECT @@innodb_flush_log_at_trx_commit AS flushed, @@innodb_rollback_on_timeout AS rolled_back,
              @@global.transaction_isolation AS isolation, @@local_infile AS local_infile, DATABASE() AS name`.replace(
        'transaction_isolation',
        services.databaseUrl.startsWith('mariadb:') ? 'tx_isolation' : 'transaction_isolation',
      ),
    )) as [Record<string, unknown>];
    expect(settings).toEqual({
      flushed: 1,
      rolled_back: 1,
      isolation: 'READ-COMMITTED',
      local_infile: 1,
      name: 'redeemkit',
    });
    const policy = await redisCommand(services.redisUrl, 'CONFIG', 'GET', 'maxmemory-policy');
    expect(JSON.stringify(policy)).toContain('noeviction');
    expect(JSON.stringify(await redisCommand(services.redisUrl, 'CONFIG', 'GET', 'append*'))).toContain(
      'everysec',
    );
  });

  it('X.13 a second start finds the data of the first', async () => {
    const first = await startBoth();
    await query(first.databaseUrl, 'CREATE TABLE kept (id INT PRIMARY KEY)');
    await query(first.databaseUrl, 'INSERT INTO kept VALUES (7)');
    await redisCommand(first.redisUrl, 'SET', 'kept', '7');
    await first.stop();
    const second = await startBoth();
    expect(second.databaseUrl).toBe(first.databaseUrl);
    expect(second.redisUrl).toBe(first.redisUrl);
    expect(await query(second.databaseUrl, 'SELECT id FROM kept')).toEqual([{ id: 7 }]);
    expect(await redisCommand(second.redisUrl, 'GET', 'kept')).toBe('7');
  });

  it('a killed server is back on the same port with what it had committed', async () => {
    const services = await startBoth();
    await query(services.databaseUrl, 'CREATE TABLE kept (id INT PRIMARY KEY)');
    await redisCommand(services.redisUrl, 'SET', 'kept', '7');
    const before = { mariadb: pidOf('mariadb'), redis: pidOf('redis') };
    process.kill(before.mariadb, 'SIGKILL');
    process.kill(before.redis, 'SIGKILL');
    await until(() => lines.filter((line) => line.includes('is back on port')).length === 2);
    expect(pidOf('mariadb')).not.toBe(before.mariadb);
    expect(pidOf('redis')).not.toBe(before.redis);
    expect(await query(services.databaseUrl, 'SELECT id FROM kept')).toEqual([]);
    expect(await redisCommand(services.redisUrl, 'GET', 'kept')).toBe('7');
    expect(lines.join('\n')).toContain('ended by itself (SIGKILL)');
  });

  it('a second start at the same time is refused and disturbs nothing', async () => {
    const services = await startBoth({ database: false });
    const second = startLocalServers({ dataDir, log });
    await expect(second).rejects.toBeInstanceOf(LocalServersBusyError);
    await expect(second).rejects.toThrow(
      `Redeemkit is already running with the data in ${dataDir} (process ${process.pid}). ` +
        'Stop it first, or set DATA_DIR to another folder.',
    );
    await expect(startPrivateRedis({ dataDir, log })).rejects.toBeInstanceOf(LocalServersBusyError);
    expect(await redisCommand(services.redisUrl, 'PING')).toBe('PONG');
  });

  it('of several starts at once on the data of a dead owner exactly one wins', async () => {
    const first = await startBoth({ database: false });
    const lock = path.join(dataDir, 'run', 'local-servers.lock');
    const stale = readFileSync(lock, 'utf8').replace(/"startedAt":"[^"]*"/, '"startedAt":"before"');
    await first.stop();
    writeFileSync(lock, stale);
    const starts = await Promise.allSettled(Array.from({ length: 4 }, () => startBoth({ database: false })));
    expect(starts.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
  });

  it('stop leaves no process and no lock, even of a paused server', async () => {
    const services = await startBoth();
    const pids = [pidOf('mariadb'), pidOf('redis')];
    process.kill(pidOf('redis'), 'SIGSTOP');
    await services.stop();
    expect(pids.map((pid) => identifyProcess(pid))).toEqual([undefined, undefined]);
    expect(existsSync(path.join(dataDir, 'run', 'local-servers.lock'))).toBe(false);
    expect(lines.join('\n')).not.toContain('starting it again');
  });

  /** A process that has private servers, and is then killed. */
  async function startParent() {
    placeDatabase(inject('databaseTemplate'), dataDir);
    const parent = fork(path.resolve('test/support/run-local-servers.mjs'), [dataDir]);
    const [urls] = (await once(parent, 'message')) as [{ redisUrl: string }];
    await redisCommand(urls.redisUrl, 'SET', 'kept', '7');
    const kill = async (): Promise<void> => {
      parent.kill('SIGKILL');
      await once(parent, 'exit');
    };
    return { kill, pids: [pidOf('mariadb'), pidOf('redis')] };
  }

  it('X.15 servers of a killed parent stop, and lose nothing', async () => {
    const { kill, pids } = await startParent();
    process.kill(pidOf('redis'), 'SIGSTOP');
    await kill();
    await until(() => pids.every((pid) => identifyProcess(pid) === undefined));
    const services = await startBoth();
    expect(await redisCommand(services.redisUrl, 'GET', 'kept')).toBe('7');
    expect(lines.join('\n')).not.toContain('left behind');
  });

  it('servers left behind by a killed parent and its watch are stopped by the next start', async () => {
    const { kill, pids } = await startParent();
    for (const pid of pids) process.kill(watchOf(pid), 'SIGKILL');
    await kill();
    expect(pids.every((pid) => identifyProcess(pid) !== undefined)).toBe(true);
    const services = await startBoth();
    expect(pids.map((pid) => identifyProcess(pid))).toEqual([undefined, undefined]);
    expect(await redisCommand(services.redisUrl, 'GET', 'kept')).toBe('7');
  });

  it.each([0, 100, 400, 800])(
    'X.15 a start given up after %i ms leaves no server and no lock, and the next one works',
    async (afterMs) => {
      const controller = new AbortController();
      const start = startLocalServers({ dataDir, log, durable: false, signal: controller.signal });
      setTimeout(() => controller.abort('given up'), afterMs);
      const outcome = await start.then(
        async (services) => services.stop(),
        (error: unknown) => error,
      );
      expect([undefined, 'given up']).toContain(outcome);
      // The watch of a server that ended at once may still be on its way to know that.
      await until(() => processesOn(dataDir).length === 0);
      expect(existsSync(path.join(dataDir, 'run', 'local-servers.lock'))).toBe(false);
      const services = await startAsIs();
      expect(await query(services.databaseUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    },
  );

  it('a record that names a foreign process does not end that process', async () => {
    const services = await startBoth({ database: false });
    await services.stop();
    const bystander = identifyProcess(process.pid);
    writeFileSync(path.join(dataDir, 'run', 'redis.json'), JSON.stringify(bystander));
    await startBoth({ database: false });
    expect(identifyProcess(process.pid)).toEqual(bystander);
  });

  it('answers only with the password, which only the owner can read', async () => {
    const services = await startBoth();
    const redisPort = Number(new URL(services.redisUrl).port);
    expect(await probe(redisPort, 'PING\r\n', (reply) => reply.includes('-NOAUTH'))).toBe(true);
    const wrong = services.databaseUrl.replace(/:[0-9a-f]+@/, ':wrong@');
    await expect(query(wrong, 'SELECT 1')).rejects.toThrow('Access denied');
    const root = services.databaseUrl.replace(/\/\/.*@/, '//root@');
    await expect(query(root, 'SELECT 1')).rejects.toThrow(/Access denied|not allowed/);
    for (const name of ['mariadb', 'redis'] as const) {
      expect(statSync(path.join(dataDir, 'secrets', name)).mode & 0o777).toBe(0o600);
      const secret = readFileSync(path.join(dataDir, 'secrets', name), 'utf8').trim();
      expect(commandLineOf(pidOf(name))).not.toContain(secret);
    }
  });

  it('the account of the database may do what the program does, and no more; a folder of an earlier version too', async () => {
    const initFile = path.join(dataDir, 'all-privileges.sql');
    const user = `'redeemkit'@'127.0.0.1'`;
    const everything = `CREATE USER ${user};\nGRANT ALL PRIVILEGES ON *.* TO ${user} WITH GRANT OPTION;\n`;
    writeFileSync(initFile, `CREATE DATABASE redeemkit;\n${everything}`);
    const options = { dataDir, log, durable: false };
    placeDatabase(inject('databaseTemplate'), dataDir);
    const earlier = await startPrivateMariadb({ ...options, extraArgs: [`--init-file=${initFile}`] });
    stops.push(async () => earlier.stop());
    const noPassword = earlier.url.replace(/:[0-9a-f]+@/, '@');
    await query(noPassword, `SELECT LOAD_FILE('/etc/passwd')`);
    await query(noPassword, 'CREATE DATABASE of_another');
    await earlier.stop();
    const { databaseUrl } = await startBoth();
    await migrateUp(databaseUrl);
    expect(await query(databaseUrl, `SELECT LOAD_FILE('/etc/passwd') AS file`)).toEqual([{ file: null }]);
    for (const statement of [
      `SELECT 1 INTO OUTFILE '${path.join(dataDir, 'stolen')}'`,
      `GRANT SELECT ON redeemkit.* TO ${user}`,
      `CREATE USER 'another'@'127.0.0.1'`,
      `SET GLOBAL max_connections = 10`,
      `SET GLOBAL general_log_file = '${path.join(dataDir, 'log')}'`,
      'SELECT * FROM mysql.global_priv',
      'CREATE DATABASE redeemkit_more',
      'DROP DATABASE of_another',
      'SHUTDOWN',
    ]) {
      await expect(query(databaseUrl, statement)).rejects.toThrow(/denied/i);
    }
  });

  it('a single server of a test stays dead when it is not supervised', async () => {
    const redis = await startPrivateRedis({ dataDir, log, supervise: false });
    stops.push(() => redis.stop());
    const { pid } = redis;
    redis.kill('SIGKILL');
    await until(() => identifyProcess(pid) === undefined);
    await sleep(300);
    await expect(redisCommand(redis.url, 'PING')).rejects.toThrow();
    expect(lines).toEqual([]);
  });

  it('says the end of the server’s log when it does not come up', async () => {
    placeDatabase(inject('databaseTemplate'), dataDir);
    const start = startPrivateMariadb({ dataDir, log, extraArgs: ['--no-such-setting=1'] });
    await expect(start).rejects.toThrow(/did not start[\s\S]*no-such-setting/);
  });
});

describe('ports of servers', () => {
  it('are not given twice, though nothing listens on them yet', async () => {
    const ports = await Promise.all(Array.from({ length: 900 }, async () => findFreePort()));
    expect(new Set(ports).size).toBe(900);
  });

  it('are searched again where another program has taken one; its server says what it printed', async () => {
    const other = await RedisServer.start();
    stops.push(async () => other.close());
    const clustered = async (busPort: number): Promise<RedisServer> =>
      RedisServer.start('--cluster-enabled', 'yes', '--cluster-port', `${busPort}`);
    await expect(clustered(other.port)).rejects.toThrow(/address already in use/i);
    const busPorts = [other.port, await findFreePort()];
    const server = await onFreePorts(async () => clustered(present(busPorts.shift(), 'A port')));
    stops.push(async () => server.close());
    expect(await redisCommand(server.url, 'PING')).toBe('PONG');
    expect(busPorts).toEqual([]);
  });
});
