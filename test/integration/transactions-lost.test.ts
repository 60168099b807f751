import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { MikroORM } from '@mikro-orm/core';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { entities } from '../../src/app/modules.js';
import { connectOrm, systemEm, type Em } from '../../src/platform/database/orm.js';
import { CommitUnknownError, isServerAway } from '../../src/platform/database/sql-errors.js';
import { Transactions } from '../../src/platform/database/transaction.js';
import { add, insertRow, storedRows } from '../support/counted-rows.js';

let orm: MikroORM;
let transactions: Transactions;
let retries: unknown[];
let tenantId: string;

beforeAll(async () => {
  orm = await connectOrm({ databaseUrl: inject('databaseUrl'), poolSize: 6, entities });
});
afterAll(async () => orm?.close(true));
beforeEach(() => {
  tenantId = `T_${randomBytes(6).toString('hex')}`;
  retries = [];
  transactions = new Transactions(orm, { onRetry: (error) => retries.push(error) });
});

const stored = async (): Promise<Record<string, number>> => storedRows(orm, tenantId);

async function twoRows(): Promise<void> {
  await transactions.run(tenantId, async (em) => {
    await insertRow(em, 1);
    await insertRow(em, 2);
  });
}

describe('a lost connection', () => {
  const isMysql = inject('databaseUrl').startsWith('mysql://');
  const silence = isMysql ? 'wait_timeout' : 'idle_transaction_timeout';

  async function kill(em: Em): Promise<void> {
    const [row] = await em.execute<[{ id: number }]>('select connection_id() as id');
    await orm.em.fork().getConnection().execute(`kill ${row.id}`);
    await pause(50);
  }

  it('while committing is reported as an unknown outcome, and is not retried', async () => {
    await twoRows();
    let attempts = 0;
    const unknown = transactions.run(tenantId, async (em) => {
      attempts += 1;
      await add(em, 1, 1);
      await kill(em);
    });
    await expect(unknown).rejects.toBeInstanceOf(CommitUnknownError);
    expect(attempts).toBe(1);
    expect(await stored()).toEqual({ 1: 0, 2: 0 });
  });

  it('before the commit is retried as a whole, once, also where the work hid the loss', async () => {
    await twoRows();
    const endings = [() => undefined, () => Promise.reject(new Error('something else'))];
    for (const [round, then] of [null, ...endings].entries()) {
      retries = [];
      await transactions.run(tenantId, async (em) => {
        await add(em, 1, 1);
        if (retries.length === 0) await kill(em);
        const second = add(em, 2, 1);
        await (then === null ? second : second.catch(then));
      });
      expect(retries).toHaveLength(1);
      expect(await stored()).toEqual({ 1: round + 1, 2: round + 1 });
    }
  });

  it('before the commit, repeatedly, is reported as an absent server, and the pool recovers', async () => {
    const own = await connectOrm({
      databaseUrl: inject('databaseUrl'),
      poolSize: 2,
      entities,
      severalStatements: true,
    });
    const bounded = new Transactions(own);
    for (let round = 0; round < 3; round += 1) {
      let attempts = 0;
      const lost = bounded.run(tenantId, async (em) => {
        attempts += 1;
        await kill(em);
        await insertRow(em, 1);
      });
      await expect(lost).rejects.toSatisfy(isServerAway);
      await expect(lost).rejects.not.toBeInstanceOf(CommitUnknownError);
      expect(attempts).toBe(4);
    }
    await bounded.run(tenantId, async (em) => insertRow(em, 1));
    await own.close(true);
    expect(await stored()).toEqual({ 1: 0 });
  });

  it('that fell silent in a transaction, as a paused process does, is made good as well', async () => {
    await twoRows();
    await transactions.run(tenantId, async (em) => {
      if (retries.length === 0) await em.execute(`set session ${silence} = 1`);
      await add(em, 1, 1);
      if (retries.length === 0) await pause(2500);
      await add(em, 2, 1);
    });
    expect(retries).toHaveLength(1);
    expect(await stored()).toEqual({ 1: 1, 2: 1 });
  });

  it('holds its rows no longer than ten seconds', async () => {
    const own = await connectOrm({ databaseUrl: inject('databaseUrl'), poolSize: 2, entities });
    const [row] = await systemEm(own).execute<[{ seconds: number }]>(
      `select @@session.${silence} as seconds`,
    );
    expect(row.seconds).toBe(10);
    await own.close(true);
  });
});
