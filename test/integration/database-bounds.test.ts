import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createConnection, type Connection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startPrivateMariadb } from '../../src/platform/local-servers/private-mariadb.js';
import type { PrivateServer } from '../../src/platform/local-servers/private-server.js';
import { connectOrm, systemEm } from '../../src/platform/database/orm.js';
import type { PoolBounds } from '../../src/platform/database/pool-bounds.js';
import { mysqlErrno } from '../../src/platform/database/sql-errors.js';
import { atEndOf, Transactions } from '../../src/platform/database/transaction.js';
import { TcpForwarder } from '../support/tcp-forwarder.js';
import { placeDatabase } from '../support/test-servers.js';

const ASK_AFTER_MS = 300;
/** Length of a statement that the test does not wait for. */
const LONG_S = 8;
/** The lowest value that a server accepts. */
const CONNECTIONS_MAX = 10;
const TOO_MANY_CONNECTIONS = 1040;

let dataDir: string;
let database: PrivateServer;
beforeAll(async () => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'redeemkit-bounds-'));
  placeDatabase(inject('databaseTemplate'), dataDir);
  const extraArgs = [`--max-connections=${CONNECTIONS_MAX}`];
  database = await startPrivateMariadb({ dataDir, log: () => undefined, durable: false, extraArgs });
});
afterAll(async () => {
  await database?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

const uriOf = (url: string): string => url.replace(/^mariadb:/, 'mysql:');

async function connectBounded(databaseUrl: string, further: Partial<PoolBounds> = {}) {
  const bounds: PoolBounds = { askAfterMs: ASK_AFTER_MS, whenAway: 'REFUSE', ...further };
  return connectOrm({ databaseUrl, poolSize: 2, entities: [], bounds });
}

/** Holds a connection of the pool. */
async function begun(orm: Awaited<ReturnType<typeof connectBounded>>) {
  const em = systemEm(orm);
  await em.begin();
  return em;
}

/** All that the server takes. */
async function takeAllConnections(): Promise<readonly Connection[]> {
  const taken: Connection[] = [];
  for (;;) {
    try {
      taken.push(await createConnection({ uri: uriOf(database.url) }));
    } catch (error) {
      if (mysqlErrno(error) !== TOO_MANY_CONNECTIONS) throw error;
      return taken;
    }
  }
}

describe('S0.10 a statement that takes long', () => {
  const slow = 'select sleep(1.5) as answer';

  it('is let be while the server refuses further connections: it answers', async () => {
    const orm = await connectBounded(database.url);
    const answer = systemEm(orm).execute(slow);
    await systemEm(orm).execute('select 1');
    const taken = await takeAllConnections();
    const [result] = await Promise.allSettled([answer]);
    for (const connection of taken) connection.destroy();
    await orm.close(true);
    expect(result).toEqual({ status: 'fulfilled', value: [{ answer: 0 }] });
  });

  it('is let be when one connection fails by accident', async () => {
    const url = new URL(database.url);
    const line = await TcpForwarder.start(Number(url.port));
    url.port = `${line.port}`;
    const orm = await connectBounded(url.href);
    await systemEm(orm).execute('select 1');
    line.refuseNext();
    const answer = systemEm(orm).execute(slow);
    await expect(answer).resolves.toEqual([{ answer: 0 }]);
    expect(line.refused).toBe(1);
    await orm.close(true);
    await line.close();
  });

  it('is given up on a dead connection while others are answered, and its locks with it', async () => {
    const url = new URL(database.url);
    const line = await TcpForwarder.start(Number(url.port));
    url.port = `${line.port}`;
    const orm = await connectBounded(url.href, { lateAfterMs: 2 * ASK_AFTER_MS });
    const em = await begun(orm);
    await em.execute(`do get_lock('held', 0)`);
    line.deaden();
    await expect(em.execute('select 1')).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    expect(await systemEm(orm).execute(`select get_lock('held', 2) as taken`)).toEqual([{ taken: 1 }]);
    await orm.close(true);
    await line.close();
  });

  it('is given up before it has a connection, when the server is silent and all of the pool are taken', async () => {
    const url = new URL(database.url);
    const line = await TcpForwarder.start(Number(url.port));
    url.port = `${line.port}`;
    const orm = await connectBounded(url.href);
    const held = await Promise.all([1, 2].map(async () => begun(orm)));
    line.mute(true);
    const from = performance.now();
    await expect(systemEm(orm).execute('select 1')).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    expect(performance.now() - from).toBeLessThan(LONG_S * 1000);
    line.mute(false);
    await Promise.all(held.map(async (em) => em.rollback()));
    await orm.close(true);
    await line.close();
  });

  it('is given up when the server is silent', async () => {
    const url = new URL(database.url);
    const line = await TcpForwarder.start(Number(url.port));
    url.port = `${line.port}`;
    const orm = await connectBounded(url.href);
    await systemEm(orm).execute('select 1');
    line.mute(true);
    const from = performance.now();
    await expect(systemEm(orm).execute(`select sleep(${LONG_S})`)).rejects.toMatchObject({
      code: 'ETIMEDOUT',
    });
    expect(performance.now() - from).toBeLessThan(LONG_S * 1000);
    await orm.close(true);
    await line.close();
  });
});

describe('S0.10 a COMMIT on a connection that goes dead, while the server answers others,', () => {
  const inserted = async (commit: number, goesDead: (line: TcpForwarder) => void) => {
    const url = new URL(database.url);
    const line = await TcpForwarder.start(Number(url.port));
    url.port = `${line.port}`;
    const orm = await connectBounded(url.href, { lateAfterMs: 2 * ASK_AFTER_MS, whenAway: 'WAIT' });
    await systemEm(orm).execute('create table if not exists bounded_commit (id int primary key)');
    let runs = 0;
    const found = await new Transactions(orm).runReadingBack('T', async (em) => {
      runs += 1;
      const rows = await em.execute('select id from bounded_commit where id = ?', [commit]);
      if (rows.length > 0) return 'THERE';
      await em.execute('insert into bounded_commit (id) values (?)', [commit]);
      const beforeCommit = async () => Promise.resolve(goesDead(line));
      if (runs === 1) atEndOf(em, { beforeCommit, afterCommit: () => undefined });
      return 'INSERTED';
    });
    const rows = await systemEm(orm).execute('select id from bounded_commit where id = ?', [commit]);
    await orm.close(true);
    await line.close();
    return { runs, found, rows };
  };

  it('is run again when the server never got it: its session was ended, so its locks are free', async () => {
    const result = await inserted(1, (line) => line.deaden());
    expect(result).toEqual({ runs: 2, found: 'INSERTED', rows: [{ id: 1 }] });
  });

  it('is found by the next run when only its answer was lost', async () => {
    const result = await inserted(2, (line) => line.loseAnswers());
    expect(result).toEqual({ runs: 2, found: 'THERE', rows: [{ id: 2 }] });
  });
});
