import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { NODE_MINIMUM } from '../../src/app/node-version.js';
import { lockDataDir } from '../../src/platform/local-servers/data-dir-lock.js';
import { findFreePort } from '../../src/platform/local-servers/loopback.js';
import { startPrivateMariadb } from '../../src/platform/local-servers/private-mariadb.js';
import { systemEm } from '../../src/platform/database/orm.js';
import { failedStart, type FailedStart, type StartCase } from '../support/failed-start.js';
import { startProcess } from '../support/processes.js';
import { RedisServer } from '../support/redis-server.js';
import { createEmptyDatabase, createScratchDatabase } from '../support/scratch-database.js';
import { openWorld } from '../support/world.js';
import { placeDatabase } from '../support/test-servers.js';

let folder = '';
const ends: (() => Promise<unknown>)[] = [];
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'redeemkit-failures-'));
});
afterAll(async () => {
  for (const end of ends.reverse()) await end();
  rmSync(folder, { recursive: true, force: true });
});

/** The addresses of the tests' own stores, with one part changed. */
function stores(change: { database?: (url: URL) => void; redisUrl?: string } = {}): Record<string, string> {
  const url = new URL(inject('databaseUrl'));
  change.database?.(url);
  return { DATABASE_URL: url.href, REDIS_URL: change.redisUrl ?? inject('redisUrl') };
}

async function redisWith(...args: string[]): Promise<RedisServer> {
  const redis = await RedisServer.start(...args);
  ends.push(async () => redis.close());
  return redis;
}

/** A MariaDB with a setting, and the migrated schema where the setting lets it have one. */
async function databaseWith(setting: string): Promise<Record<string, string>> {
  const dataDir = mkdtempSync(path.join(folder, 'database-'));
  placeDatabase(inject('databaseTemplate'), dataDir);
  const server = await startPrivateMariadb({
    dataDir,
    log: () => undefined,
    durable: false,
    extraArgs: [setting],
  });
  ends.push(async () => server.stop());
  return { DATABASE_URL: server.url, REDIS_URL: inject('redisUrl') };
}

async function busyPort(): Promise<number> {
  const server: Server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(async () => once(server.close(), 'close'));
  return (server.address() as AddressInfo).port;
}

/** One line on standard error, nothing on standard output, and a status that is none of success. */
function lineOf({ status, stdout, stderr }: FailedStart): string {
  expect({
    status,
    stdout,
    lines: stderr.split('\n').length,
    stack: /\n\s+at /.test(stderr),
    stderr,
  }).toEqual({
    status: 1,
    stdout: '',
    lines: 2,
    stack: false,
    stderr,
  });
  return stderr.trimEnd();
}

type Case = readonly [name: string, start: () => Promise<StartCase['environment']>, line: RegExp];

const CASES: readonly Case[] = [
  [
    'a port in use, before the database is touched',
    async () => ({
      ...stores({ database: (url) => (url.port = '1') }),
      PORT: String(await busyPort()),
    }),
    /^Port \d+ of 127\.0\.0\.1 is in use: stop .* or set PORT/,
  ],
  [
    'an address that is not of this machine',
    async () => ({ ...stores(), HOST: '192.0.2.1' }),
    /^192\.0\.2\.1 is no address of this machine: correct HOST\.$/,
  ],
  [
    'a file of audit anchors that cannot be written, before the database is touched',
    async () => ({
      ...stores({ database: (url) => (url.port = '1') }),
      AUDIT_ANCHOR_FILE: path.join(folder, 'no-folder', 'anchors.jsonl'),
    }),
    /^The file \S+anchors\.jsonl cannot be appended to \(ENOENT\): correct AUDIT_ANCHOR_FILE, or make/,
  ],
  [
    'all wrong and missing settings at once',
    async () => ({ NODE_ENV: 'production', PORT: 'x', JWT_SECRET: '', CODE_PEPPER: 'short' }),
    /^Wrong settings .*PORT must .*CODE_PEPPER must .*DATABASE_URL must .*REDIS_URL must .*JWT_SECRET must /,
  ],
  [
    'production without stores, instead of making a demo tenant and printing a token of its owner',
    async () => ({ NODE_ENV: 'production', DATA_DIR: path.join(folder, 'production') }),
    /^Wrong settings .*DATABASE_URL must be set in production; REDIS_URL must be set in production\.$/,
  ],
  [
    'a database that is down',
    async () => stores({ database: (url) => (url.port = '1') }),
    /^At 127\.0\.0\.1:1 the database does not answer: start it, or correct DATABASE_URL\.$/,
  ],
  [
    'an unknown host of the database',
    async () => stores({ database: (url) => (url.hostname = 'db.invalid') }),
    /^The host of the database, db\.invalid, is not known: correct DATABASE_URL\.$/,
  ],
  [
    'a wrong password of the database',
    async () => stores({ database: (url) => (url.password = 'hush-hush') }),
    /^The database at 127\.0\.0\.1:\d+ refuses user \w+: correct user and password in DATABASE_URL/,
  ],
  [
    'an unknown database',
    async () => stores({ database: (url) => (url.pathname = '/nothing_here') }),
    /^The database at 127\.0\.0\.1:\d+ has no database nothing_here that \w+ may use: create it, or correct/,
  ],
  [
    'a database without a schema',
    async () => {
      const empty = await createEmptyDatabase(inject('databaseUrl'));
      ends.push(empty.drop);
      return { ...stores(), DATABASE_URL: empty.databaseUrl };
    },
    /^The database has no schema yet: run `.*migrate` first\.$/,
  ],
  [
    'a schema that is newer than the program',
    async () => {
      const scratch = await createScratchDatabase();
      ends.push(scratch.drop);
      const world = await openWorld({}, { databaseUrl: scratch.databaseUrl, redisUrl: inject('redisUrl') });
      await systemEm(world.stores.orm).execute(
        `insert into schema_migration (name, executed_at) values ('Migration20991231000000_of_tomorrow', now())`,
      );
      await world.close();
      return { ...stores(), DATABASE_URL: scratch.databaseUrl };
    },
    /^The database is newer than this program, which does not know Migration20991231000000_of_tomorrow: start/,
  ],
  [
    'a database that is read-only',
    async () => databaseWith('--read-only'),
    /^The database at \S+ is read-only: point DATABASE_URL at the primary\.$/,
  ],
  [
    'a database that takes only TLS',
    async () => databaseWith('--require-secure-transport=ON'),
    /^The database at \S+ refuses user \w+: .* or let the user connect without TLS\.$/,
  ],
  [
    'a Redis that is down',
    async () => stores({ redisUrl: 'redis://127.0.0.1:1' }),
    /^At 127\.0\.0\.1:1 Redis does not answer: start it, or correct REDIS_URL\.$/,
  ],
  [
    'an unknown host of Redis',
    async () => stores({ redisUrl: 'redis://cache.invalid' }),
    /^The host of Redis, cache\.invalid, is not known: correct REDIS_URL\.$/,
  ],
  [
    'a Redis that wants a password',
    async () => stores({ redisUrl: (await redisWith('--requirepass', 'p')).url }),
    /^Redis at \S+ wants a password: put it into REDIS_URL\.$/,
  ],
  [
    'a wrong password of Redis',
    async () => {
      const { port } = await redisWith('--requirepass', 'p');
      return stores({ redisUrl: `redis://:hush-hush@127.0.0.1:${port}` });
    },
    /^Redis at \S+ refuses the user or password: correct REDIS_URL\.$/,
  ],
  [
    'a database of Redis that is not there',
    async () => stores({ redisUrl: `${inject('redisUrl').replace(/\/\d+$/, '')}/9999` }),
    /^Redis at \S+ has no database 9999: correct the number at the end of REDIS_URL\.$/,
  ],
  [
    'a node of a Redis Cluster',
    async () => {
      // By default it is the port + 10,000, from which the kernel may have made a connection.
      const busPort = String(await findFreePort());
      return stores({
        redisUrl: (await redisWith('--cluster-enabled', 'yes', '--cluster-port', busPort)).url,
      });
    },
    /^Redis at (\S+) is a node of a cluster: write REDIS_URL=redis\+cluster:\/\/\1, with further nodes behind commas\.$/,
  ],
  [
    'a replica of Redis',
    async () => stores({ redisUrl: (await redisWith('--replicaof', '127.0.0.1 1')).url }),
    /^Redis at \S+ is a replica: point REDIS_URL at the primary\.$/,
  ],
  [
    'TLS to a Redis that takes none',
    async () => stores({ redisUrl: inject('redisUrl').replace('redis:', 'rediss:') }),
    /^Redis at \S+ does not answer by TLS: where it takes none, begin REDIS_URL with redis:\/\/\.$/,
  ],
  [
    'a data folder that is a file',
    async () => {
      writeFileSync(path.join(folder, 'file'), '');
      return { DATA_DIR: path.join(folder, 'file') };
    },
    /^The data folder \S+ cannot be written \((EEXIST|ENOTDIR)\): make it writable, or set DATA_DIR/,
  ],
  [
    'a data folder where none can be made',
    async () => ({ DATA_DIR: '/proc/redeemkit' }),
    /^The data folder \S+ cannot be written \(ENOENT\): make it writable, or set DATA_DIR/,
  ],
  [
    'a data folder that another process uses',
    async () => {
      const dataDir = path.join(folder, 'in-use');
      const unlock = await lockDataDir(dataDir, 'local-servers');
      ends.push(async () => unlock());
      return { DATA_DIR: dataDir };
    },
    /^Redeemkit is already running with the data in \S+ \(process \d+\)\. Stop it first, or set DATA_DIR/,
  ],
];

describe('X.15 a failed start says in one line what is wrong and what to do', () => {
  it.each(CASES)('X.15 %s', async (_name, start, line) => {
    const said = lineOf(await failedStart({ environment: await start(), program: inject('program') }));
    expect(said).toMatch(line);
    expect(said).not.toContain('hush-hush');
  });

  it('X.15 a data folder that may not be written', async () => {
    const dataDir = path.join(folder, 'read-only');
    mkdirSync(path.join(dataDir, 'run'), { recursive: true });
    chmodSync(folder, 0o755);
    for (const each of [path.join(dataDir, 'run'), dataDir]) chmodSync(each, 0o555);
    // Root may write everywhere, so the program runs as the user "nobody".
    const asNobody = `data:text/javascript,process.getuid() === 0 && process.setuid(65534)`;
    const environment = { DATA_DIR: dataDir };
    const said = lineOf(await failedStart({ environment, nodeArguments: ['--import', asNobody] }));
    expect(said).toMatch(
      /^The data folder \S+ cannot be written \(EACCES\): make it writable, or set DATA_DIR/,
    );
  });

  it('X.15 an old Node, before anything newer is parsed', async () => {
    const old = `data:text/javascript,Object.defineProperty(process.versions, 'node', { value: '20.20.2' })`;
    for (const entry of ['main.js', 'cli.js'] as const) {
      const said = lineOf(await failedStart({ entry, environment: {}, nodeArguments: ['--import', old] }));
      expect(said).toMatch(
        new RegExp(
          `^Redeemkit runs on Node ${NODE_MINIMUM.join('\\.')} or newer, and this is 20\\.20\\.2\\.`,
        ),
      );
    }
  });
});

describe('X.15 a start waits for stores that are just coming up', () => {
  it('X.15 and starts when they are there', async () => {
    const redis = await redisWith();
    await redis.stop();
    const { DATABASE_URL: databaseUrl = '' } = stores();
    const environment = { START_WAIT_MS: '30000' };
    // A worker would share the tenants of the other tests, and not their Redis.
    const starting = startProcess({ role: 'api', databaseUrl, redisUrl: redis.url, environment });
    await pause(1500);
    await redis.start();
    const running = await starting;
    expect((await fetch(`${running.url}/readyz`)).status).toBe(200);
    await running.stop();
  });

  it('X.15 no longer than START_WAIT_MS', async () => {
    const beganMs = performance.now();
    const environment = { ...stores({ redisUrl: 'redis://127.0.0.1:1' }), START_WAIT_MS: '1500' };
    lineOf(await failedStart({ environment }));
    expect(performance.now() - beganMs).toBeGreaterThan(1500);
  });
});
