import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { MikroORM } from '@mikro-orm/core';
import { createConnection } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { startPrivateMariadb } from '../../src/platform/local-servers/private-mariadb.js';
import { readServerBinaries } from '../../src/platform/local-servers/server-binaries.js';
import type { PrivateServer } from '../../src/platform/local-servers/private-server.js';
import { connectOrm, systemEm } from '../../src/platform/database/orm.js';
import { isServerAway } from '../../src/platform/database/sql-errors.js';
import { Transactions } from '../../src/platform/database/transaction.js';
import { migrateUp } from '../../src/migrations/migrate.js';
import { eachOf } from '../../src/platform/scheduling/each-of.js';
import { Redemption } from '../../src/redemption/history/redemption.entity.js';
import { TcpForwarder } from '../support/tcp-forwarder.js';
import { placeDatabase } from '../support/test-servers.js';
import { emOf, openWorld, outcomeOf, redeem, seedCampaign, seedTenant, seedUsers } from '../support/world.js';

/** Administrators of a server may write on it also while it is read-only. */
const INIT = `create database app;
create table app.written (id int primary key);
create user 'app'@'127.0.0.1' identified by 'app';
grant select, insert on app.* to 'app'@'127.0.0.1';
create user 'boss'@'127.0.0.1' identified by 'boss';
grant all privileges on *.* to 'boss'@'127.0.0.1' with grant option;
`;
const POOL = 4;
const isMariadb = readServerBinaries().database.flavor === 'mariadb';
const REPLICATED = 'replicated';
/** Each can replicate the other; what the other tests write is left out. */
const REPLICATION = [
  '--log-bin',
  '--binlog-format=ROW',
  '--log-bin-trust-function-creators=1',
  '--rpl-semi-sync-slave-enabled=ON',
  '--rpl-semi-sync-master-wait-point=AFTER_SYNC',
  // Longer than the test: it must not fall back to replication without an acknowledgement.
  '--rpl-semi-sync-master-timeout=600000',
  '--replicate-ignore-db=app',
];

interface Primary {
  readonly server: PrivateServer;
  readonly port: number;
  readonly dataDir: string;
}

async function startPrimary(serverId: number): Promise<Primary> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'redeemkit-read-only-'));
  placeDatabase(inject('databaseTemplate'), dataDir);
  const initFile = path.join(dataDir, 'init.sql');
  writeFileSync(initFile, INIT);
  const replication = isMariadb ? [`--server-id=${serverId}`, ...REPLICATION] : [];
  const extraArgs = [`--init-file=${initFile}`, ...replication];
  const server = await startPrivateMariadb({
    dataDir,
    log: () => undefined,
    durable: false,
    supervise: false,
    extraArgs,
  });
  return { server, port: Number(new URL(server.url).port), dataDir };
}

async function asBoss<T>({ port }: Primary, sql: string): Promise<T> {
  const connection = await createConnection({ host: '127.0.0.1', port, user: 'boss', password: 'boss' });
  try {
    const [rows] = await connection.query(sql);
    return rows as T;
  } finally {
    await connection.end();
  }
}

const sessionsOf = async (primary: Primary): Promise<number> => {
  const sql = `select count(*) as n from information_schema.processlist where user = 'app'`;
  const [row] = await asBoss<{ n: number }[]>(primary, sql);
  return Number(row?.n);
};

let first: Primary;
let second: Primary;
beforeAll(async () => {
  [first, second] = await Promise.all([startPrimary(1), startPrimary(2)]);
});
afterAll(async () => {
  for (const { server, dataDir } of [first, second]) {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
});

let line: TcpForwarder;
let orm: MikroORM;
let retries: unknown[];
let transactions: Transactions;
beforeEach(async () => {
  await asBoss(first, 'set global read_only = 0');
  for (const primary of [first, second]) await asBoss(primary, 'delete from app.written');
  line = await TcpForwarder.start(first.port);
  const databaseUrl = `${new URL(first.server.url).protocol}//app:app@127.0.0.1:${line.port}/app`;
  const bounds = { askAfterMs: 1000, whenAway: 'WAIT' } as const;
  orm = await connectOrm({ databaseUrl, poolSize: POOL, entities: [], severalStatements: true, bounds });
  retries = [];
  transactions = new Transactions(orm, { onRetry: (error) => retries.push(error) });
  // Every connection of the pool leads to the first server.
  await Promise.all(Array.from({ length: POOL }, async () => systemEm(orm).execute('select sleep(0.2)')));
});
afterEach(async () => {
  await orm.close(true);
  await line.close();
});

const write = async (id: number): Promise<unknown> =>
  transactions.run(null, async (em) => em.execute('insert into written (id) values (?)', [id]));
const writtenOn = async (primary: Primary): Promise<number[]> =>
  (await asBoss<{ id: number }[]>(primary, 'select id from app.written order by id')).map(({ id }) => id);

describe('a primary that becomes read-only and keeps its connections', () => {
  it('is left for the new one by the first write, and by all connections of the pool', async () => {
    await expect.poll(async () => sessionsOf(first)).toBe(POOL);
    await asBoss(first, 'set global read_only = 1');
    line.pointAt(second.port);
    await write(1);
    expect(retries).toHaveLength(1);
    await Promise.all([2, 3, 4, 5, 6, 7, 8, 9].map(write));
    expect(retries).toHaveLength(1);
    expect(await writtenOn(first)).toEqual([]);
    expect(await writtenOn(second)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await expect.poll(async () => sessionsOf(first)).toBe(0);
  });

  it('is left also in the middle of a transaction, which is retried as a whole', async () => {
    await transactions.run(null, async (em) => {
      await em.execute('insert into written (id) values (1)');
      if (retries.length === 0) {
        line.pointAt(second.port);
        await asBoss(first, 'set global read_only = 1');
      }
      await em.execute('insert into written (id) values (2)');
    });
    expect(await writtenOn(first)).toEqual([]);
    expect(await writtenOn(second)).toEqual([1, 2]);
  });

  it('is left also when it is a node of Galera that has lost its cluster', async () => {
    // What such a node answers to everything.
    const says = `signal sqlstate '08S01' set mysql_errno = 1047`;
    await asBoss(first, `create trigger app.lost before insert on app.written for each row ${says}`);
    try {
      line.pointAt(second.port);
      await Promise.all([1, 2, 3, 4, 5].map(write));
    } finally {
      await asBoss(first, 'drop trigger app.lost');
    }
    expect(await writtenOn(second)).toEqual([1, 2, 3, 4, 5]);
    await expect.poll(async () => sessionsOf(first)).toBe(0);
  });

  it('counts as away while there is no other, and is used again once it takes writes', async () => {
    await asBoss(first, 'set global read_only = 1');
    await expect(write(1)).rejects.toSatisfy(isServerAway);
    await asBoss(first, 'set global read_only = 0');
    await write(2);
    expect(await writtenOn(first)).toEqual([2]);
  });
});

/** Makes the second server a replica of the first, which from then on answers no commit that the replica lacks. */
async function replicate(): Promise<void> {
  const [status] = await asBoss<{ File: string; Position: number }[]>(first, 'show master status');
  await asBoss(second, 'set global read_only = 1');
  await asBoss(
    second,
    `change master to master_host = '127.0.0.1', master_port = ${first.port}, master_user = 'boss',
      master_password = 'boss', master_log_file = '${status?.File}', master_log_pos = ${status?.Position}`,
  );
  await asBoss(second, 'start slave');
  await asBoss(first, 'set global rpl_semi_sync_master_enabled = 1');
  await expect.poll(async () => statusOf(first, 'Rpl_semi_sync_master_clients')).toBe('1');
}

async function statusOf(primary: Primary, name: string): Promise<string | undefined> {
  const [row] = await asBoss<{ Value: string }[]>(primary, `show global status like '${name}'`);
  return row?.Value;
}

/** As an operator does: what the replica was sent is applied before it takes writes. */
async function promoteSecond(): Promise<void> {
  type SlaveStatus = { readonly Slave_SQL_Running_State: string; readonly Last_SQL_Error: string };
  await asBoss(second, 'stop slave io_thread');
  await expect
    .poll(async () => {
      const [status] = await asBoss<SlaveStatus[]>(second, 'show slave status');
      return `${status?.Slave_SQL_Running_State}${status?.Last_SQL_Error}`;
    })
    .toMatch(/^Slave has read all relay log/);
  await asBoss(second, 'stop slave');
  await asBoss(second, 'reset slave all');
  await asBoss(second, 'set global read_only = 0');
}

const REDEMPTIONS = 120;
const AT_ONCE = 12;

describe.runIf(isMariadb)('a primary that is killed under load, with semi-synchronous replication', () => {
  it('S0.9 loses nothing that was answered COMMITTED, and retries by the same keys commit the rest once', async () => {
    await replicate();
    await asBoss(first, `create database ${REPLICATED}`);
    await asBoss(first, `grant all on ${REPLICATED}.* to 'app'@'127.0.0.1'`);
    const databaseUrl = `${new URL(first.server.url).protocol}//app:app@127.0.0.1:${line.port}/${REPLICATED}`;
    await migrateUp(databaseUrl);
    const world = await openWorld({ STORE_TIMEOUT_MS: '1000', REPLY_WITHIN_MS: '2000' }, { databaseUrl });
    try {
      const tenant = await seedTenant(world);
      const { tenantId } = tenant;
      const { codes } = await seedCampaign(world, tenant, REDEMPTIONS);
      const users = await seedUsers(world, tenantId, REDEMPTIONS);
      const before: string[] = [];
      const failovers: Promise<void>[] = [];
      const killAndPromote = async (): Promise<void> => {
        first.server.kill('SIGKILL');
        await promoteSecond();
        line.pointAt(second.port);
      };
      await eachOf(users.entries(), AT_ONCE, async ([at, userId]) => {
        for (;;) {
          const code = codes[at] ?? '';
          const answer = await redeem(world, tenantId, userId, code, { idempotencyKey: `key-${at}` });
          if (outcomeOf(answer) === 'COMMITTED') {
            if (failovers.length === 0) before.push(answer.redemption?.id ?? '');
            if (before.length === REDEMPTIONS / 4 && failovers.length === 0) failovers.push(killAndPromote());
            return;
          }
          expect(['SERVICE_UNAVAILABLE', 'PROCESSING', 'CODE_HELD']).toContain(outcomeOf(answer));
          await pause(50);
        }
      });
      await Promise.all(failovers);
      expect(before).toHaveLength(REDEMPTIONS / 4);
      const rows = await emOf(world, tenantId).find(Redemption, { status: 'COMMITTED' });
      expect(rows.map(({ id }) => id)).toEqual(expect.arrayContaining(before));
      expect(rows).toHaveLength(REDEMPTIONS);
      expect(new Set(rows.map(({ codeId }) => codeId)).size).toBe(REDEMPTIONS);
    } finally {
      await world.close();
    }
  });
});
