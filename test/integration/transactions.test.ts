import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { MikroORM } from '@mikro-orm/core';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { CampaignUsage } from '../../src/campaigns/campaign-usage.entity.js';
import { entities } from '../../src/app/modules.js';
import { connectOrm, type Em } from '../../src/platform/database/orm.js';
import {
  AbortedTransactionError,
  isDuplicateKey,
  isRetryable,
  mysqlErrno,
} from '../../src/platform/database/sql-errors.js';
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

/** A second session that holds row 2 and waits for row 1: a session that holds row 1 and asks for row 2 deadlocks. */
async function rival(): Promise<{ holds: Promise<void>; wants: () => void; done: Promise<void> }> {
  const { promise: holds, resolve: nowHolds } = Promise.withResolvers<void>();
  const { promise: go, resolve: wants } = Promise.withResolvers<void>();
  // The server undoes the transaction that changed less; the ballast makes sure that this one survives.
  const done = new Transactions(orm).run(tenantId, async (em) => {
    for (let ballast = 100; ballast < 150; ballast += 1) await insertRow(em, ballast);
    await em.execute('delete from campaign_usage where tenant_id = ? and campaign_id >= 100', [tenantId]);
    await add(em, 2, 100);
    nowHolds();
    await go;
    await add(em, 1, 100);
  });
  return { holds, wants, done };
}

async function twoRows(): Promise<void> {
  await transactions.run(tenantId, async (em) => {
    await insertRow(em, 1);
    await insertRow(em, 2);
  });
}

/** Takes row 1, then provokes a deadlock on row 2, in the first attempt only. */
async function meetDeadlock(
  em: Em,
  attempt: number,
  other: Awaited<ReturnType<typeof rival>>,
): Promise<void> {
  await other.holds;
  await add(em, 1, 1);
  if (attempt === 1) {
    other.wants();
    await pause(100);
  }
  await add(em, 2, 1);
}

describe('a transaction', () => {
  it('is kept as a whole, and undone as a whole by an error of the work', async () => {
    await twoRows();
    const failure = transactions.run(tenantId, async (em) => {
      await add(em, 1, 5);
      throw new Error('no');
    });
    await expect(failure).rejects.toThrow('no');
    expect(await stored()).toEqual({ 1: 0, 2: 0 });
    expect(retries).toEqual([]);
  });

  it('sees committed rows only, and each commit at once', async () => {
    await twoRows();
    await transactions.run(tenantId, async (em) => {
      const before = await em.findOneOrFail(CampaignUsage, { campaignId: '1' }, { disableIdentityMap: true });
      await transactions.run(tenantId, async (other) => add(other, 1, 7));
      const after = await em.findOneOrFail(CampaignUsage, { campaignId: '1' }, { disableIdentityMap: true });
      expect([before.uses, after.uses]).toEqual([0, 7]);
    });
  });

  it('is retried on a fresh entity manager after a real deadlock, and counts once', async () => {
    await twoRows();
    const other = await rival();
    const seen = new Set<Em>();
    await transactions.run(tenantId, async (em) => {
      seen.add(em);
      await meetDeadlock(em, seen.size, other);
    });
    await other.done;
    expect(seen.size).toBe(2);
    expect(retries.map(mysqlErrno)).toEqual([1213]);
    expect(await stored()).toEqual({ 1: 101, 2: 101 });
  });

  it('is retried after a lock wait time-out', async () => {
    await twoRows();
    const { promise: held, resolve: nowHeld } = Promise.withResolvers<void>();
    const { promise: free, resolve: release } = Promise.withResolvers<void>();
    const holder = new Transactions(orm).run(tenantId, async (em) => {
      await add(em, 2, 100);
      nowHeld();
      await free;
    });
    await held;
    const waiting = new Transactions(orm, {
      onRetry: (error) => {
        retries.push(error);
        release();
      },
    });
    await waiting.run(tenantId, async (em) => {
      await em.execute('set session innodb_lock_wait_timeout = 1');
      await add(em, 1, 1);
      await add(em, 2, 1);
      await em.execute('set session innodb_lock_wait_timeout = 2');
    });
    await holder;
    expect(retries.map(mysqlErrno)).toEqual([1205]);
    expect(await stored()).toEqual({ 1: 1, 2: 101 });
  });

  it('gives up after four attempts with the error of the last one', async () => {
    let attempts = 0;
    const hopeless = transactions.run(tenantId, async (em) => {
      attempts += 1;
      await em.execute("signal sqlstate '40001' set mysql_errno = 1213");
    });
    await expect(hopeless).rejects.toSatisfy(isRetryable);
    expect(attempts).toBe(4);
  });
});

describe('S3.4 nested transactions', () => {
  it('undo the inner part only when its failure is caught', async () => {
    await twoRows();
    await transactions.run(tenantId, async (em) => {
      await add(em, 1, 1);
      const inner = transactions.nested(em, async (part) => {
        await add(part, 2, 1);
        throw new Error('inner');
      });
      await expect(inner).rejects.toThrow('inner');
      await insertRow(em, 3);
    });
    expect(await stored()).toEqual({ 1: 1, 2: 0, 3: 0 });
  });

  it('undo the inner part of the inner part, and keep what lies between', async () => {
    await twoRows();
    await transactions.run(tenantId, async (em) => {
      await transactions.nested(em, async (part) => {
        await add(part, 1, 1);
        const innermost = transactions.nested(part, async (deepest) => {
          await add(deepest, 2, 1);
          throw new Error('innermost');
        });
        await innermost.catch(() => undefined);
      });
    });
    expect(await stored()).toEqual({ 1: 1, 2: 0 });
  });

  it('undo all when the outer part fails after the inner one went well', async () => {
    await twoRows();
    const outer = transactions.run(tenantId, async (em) => {
      await transactions.nested(em, async (part) => add(part, 1, 1));
      throw new Error('outer');
    });
    await expect(outer).rejects.toThrow('outer');
    expect(await stored()).toEqual({ 1: 0, 2: 0 });
  });

  it('forget the entities of an inner part that failed, and keep those of the outer one', async () => {
    await twoRows();
    await transactions.run(tenantId, async (em) => {
      const outer = await em.findOneOrFail(CampaignUsage, { campaignId: '1' });
      outer.uses = 5;
      const inner = transactions.nested(em, async (part) => {
        const copy = await part.findOneOrFail(CampaignUsage, { campaignId: '1' });
        expect(copy.uses).toBe(5);
        copy.uses = 50;
        await part.flush();
        throw new Error('inner');
      });
      await inner.catch(() => undefined);
      expect(outer.uses).toBe(5);
      outer.uses += 1;
    });
    expect(await stored()).toEqual({ 1: 6, 2: 0 });
  });

  it('keep a unique key refusal inside, so that the outer part can continue', async () => {
    await twoRows();
    await transactions.run(tenantId, async (em) => {
      const refused = transactions.nested(em, async (part) => insertRow(part, 1));
      await expect(refused).rejects.toSatisfy(isDuplicateKey);
      await add(em, 2, 1);
    });
    expect(retries).toEqual([]);
    expect(await stored()).toEqual({ 1: 0, 2: 1 });
  });
});

describe('S3.14 a caught deadlock', () => {
  it('inside a nested part leaves nothing behind, and the whole is retried', async () => {
    await twoRows();
    const other = await rival();
    let attempt = 0;
    const after: unknown[] = [];
    await transactions.run(tenantId, async (em) => {
      attempt += 1;
      await insertRow(em, 10 + attempt);
      await transactions
        .nested(em, async (part) => meetDeadlock(part, attempt, other))
        .catch((error: unknown) => after.push(mysqlErrno(error)));
      // Without the guard this would be written in autocommit, because the savepoint and the transaction are gone.
      await insertRow(em, 20 + attempt).catch((error: unknown) => after.push(error));
    });
    await other.done;
    expect(attempt).toBe(2);
    expect(after).toEqual([
      1213,
      expect.objectContaining({ message: expect.stringContaining('aborted') as string }),
    ]);
    expect(await stored()).toEqual({ 1: 101, 2: 101, 12: 0, 22: 0 });
  });

  it.each([
    ['swallowed', () => undefined],
    ['hidden behind an error of another kind', () => Promise.reject(new Error('something else'))],
  ])('%s around a plain statement is harmless too', async (_how, then) => {
    await twoRows();
    const other = await rival();
    let attempt = 0;
    await transactions.run(tenantId, async (em) => {
      attempt += 1;
      await insertRow(em, 10 + attempt);
      await meetDeadlock(em, attempt, other).catch(then);
    });
    await other.done;
    expect(attempt).toBe(2);
    expect(retries).toEqual([expect.any(AbortedTransactionError)]);
    expect(await stored()).toEqual({ 1: 101, 2: 101, 12: 0 });
  });

  it.each([1205, 1020])('is as harmless with %i, which undoes no more than its statement', async (errno) => {
    await twoRows();
    let attempt = 0;
    await transactions.run(tenantId, async (em) => {
      attempt += 1;
      await add(em, 1, 1);
      if (attempt === 1) {
        await em.execute(`signal sqlstate 'HY000' set mysql_errno = ${errno}`).catch(() => undefined);
      }
    });
    expect(retries.map(mysqlErrno)).toEqual([errno]);
    expect(await stored()).toEqual({ 1: 1, 2: 0 });
  });

  it('also refuses a statement that waits behind the failing one', async () => {
    await twoRows();
    let attempt = 0;
    await transactions.run(tenantId, async (em) => {
      attempt += 1;
      if (attempt > 1) return;
      const settled = await Promise.allSettled([
        em.execute("signal sqlstate '40001' set mysql_errno = 1213"),
        insertRow(em, 30),
      ]);
      expect(settled.map((one) => one.status)).toEqual(['rejected', 'rejected']);
    });
    expect(attempt).toBe(2);
    expect(await stored()).toEqual({ 1: 0, 2: 0 });
  });

  it('cannot be met by a stream, because none is begun', async () => {
    await transactions.run(tenantId, async (em) => {
      const rows = em.createQueryBuilder(CampaignUsage).stream();
      await expect(rows.next()).rejects.toThrow('Rows are read in pages');
    });
  });

  it('leaves the connection clean for the next transaction', async () => {
    const one = await connectOrm({ databaseUrl: inject('databaseUrl'), poolSize: 1, entities });
    const single = new Transactions(one, { attempts: 1 });
    const doomed = single.run(tenantId, async (em) =>
      em.execute("signal sqlstate '40001' set mysql_errno = 1213"),
    );
    await expect(doomed).rejects.toSatisfy(isRetryable);
    await single.run(tenantId, async (em) => insertRow(em, 1));
    await one.close(true);
    expect(await stored()).toEqual({ 1: 0 });
  });
});
