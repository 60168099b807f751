import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { MikroORM } from '@mikro-orm/core';
import { createConnection } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { startPrivateMariadb } from '../../src/platform/local-servers/private-mariadb.js';
import type { PrivateServer } from '../../src/platform/local-servers/private-server.js';
import { connectOrm, systemEm } from '../../src/platform/database/orm.js';
import { isServerAway } from '../../src/platform/database/sql-errors.js';
import { Transactions } from '../../src/platform/database/transaction.js';
import { TcpForwarder } from '../support/tcp-forwarder.js';
import { placeDatabase } from '../support/test-servers.js';

/** Administrators of a server may write on it also while it is read-only. */
const INIT = `create database app;
create table app.written (id int primary key);
create user 'app'@'127.0.0.1' identified by 'app';
grant select, insert on app.* to 'app'@'127.0.0.1';
create user 'boss'@'127.0.0.1' identified by 'boss';
grant all privileges on *.* to 'boss'@'127.0.0.1';
`;
const POOL = 4;

interface Primary {
  readonly server: PrivateServer;
  readonly port: number;
  readonly dataDir: string;
}

async function startPrimary(): Promise<Primary> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'redeemkit-read-only-'));
  placeDatabase(inject('databaseTemplate'), dataDir);
  const initFile = path.join(dataDir, 'init.sql');
  writeFileSync(initFile, INIT);
  const extraArgs = [`--init-file=${initFile}`];
  const server = await startPrivateMariadb({ dataDir, log: () => undefined, durable: false, extraArgs });
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
  [first, second] = await Promise.all([startPrimary(), startPrimary()]);
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
    expect(await sessionsOf(first)).toBe(POOL);
    await asBoss(first, 'set global read_only = 1');
    line.pointAt(second.port);
    await write(1);
    expect(retries).toHaveLength(1);
    await Promise.all([2, 3, 4, 5, 6, 7, 8, 9].map(write));
    expect(retries).toHaveLength(1);
    expect(await writtenOn(first)).toEqual([]);
    expect(await writtenOn(second)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await sessionsOf(first)).toBe(0);
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

  it('counts as away while there is no other, and is used again once it takes writes', async () => {
    await asBoss(first, 'set global read_only = 1');
    await expect(write(1)).rejects.toSatisfy(isServerAway);
    await asBoss(first, 'set global read_only = 0');
    await write(2);
    expect(await writtenOn(first)).toEqual([2]);
  });
});
