import type { MikroORM } from '@mikro-orm/core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { entities } from '../../src/app/modules.js';
import { systemClock } from '../../src/platform/clock.js';
import { IdGenerator } from '../../src/platform/ids.js';
import { createLog } from '../../src/platform/observability/log.js';
import { connectOrm, systemEm } from '../../src/platform/database/orm.js';
import { acquireProcessNode, type ProcessNodeHolder } from '../../src/platform/database/process-node.js';
import { createScratchDatabase } from '../support/scratch-database.js';

const log = createLog({ level: 'silent' });
const HOUR_MS = 3_600_000;

let orm: MikroORM;
const holders: ProcessNodeHolder[] = [];

async function acquire(renewEveryMs?: number): Promise<ProcessNodeHolder> {
  const holder = await acquireProcessNode(orm, log, renewEveryMs === undefined ? {} : { renewEveryMs });
  holders.push(holder);
  return holder;
}

/** Seconds that the lease still runs, by the database's clock, and who holds it. */
async function leaseOf(nodeNo: number): Promise<{ owner: string; seconds: number }> {
  const [row] = await systemEm(orm).execute<[{ owner: string; seconds: number }]>(
    'select owner, timestampdiff(second, utc_timestamp(3), leased_until) as seconds from process_node where node_no = ?',
    [nodeNo],
  );
  return { owner: row.owner, seconds: row.seconds };
}

beforeAll(async () => {
  orm = await connectOrm({ databaseUrl: inject('databaseUrl'), poolSize: 10, entities });
});
afterAll(async () => {
  await Promise.all(holders.map(async (holder) => holder.release()));
  await orm?.close(true);
});

describe('a process node', () => {
  it('is held by one process only, when 20 start at once', async () => {
    const twenty = await Promise.all(Array.from({ length: 20 }, async () => acquire()));
    expect(new Set(twenty.map((holder) => holder.lease().nodeNo)).size).toBe(20);
  });

  it('is leased for 24 hours, and counts as run out a minute earlier here', async () => {
    const beforeMs = systemClock.nowMs();
    const { nodeNo, validUntilMs } = (await acquire()).lease();
    const { seconds } = await leaseOf(nodeNo);
    expect(seconds).toBeGreaterThan(24 * 3600 - 10);
    expect(validUntilMs).toBeGreaterThanOrEqual(beforeMs + 24 * HOUR_MS - 60_000);
    expect(validUntilMs).toBeLessThan(systemClock.nowMs() + 24 * HOUR_MS - 59_000);
  });

  it('is renewed while it is held', async () => {
    const holder = await acquire(20);
    const { nodeNo, validUntilMs } = holder.lease();
    await systemEm(orm).execute(
      'update process_node set leased_until = utc_timestamp(3) + interval 1 hour where node_no = ?',
      [nodeNo],
    );
    await expect.poll(async () => (await leaseOf(nodeNo)).seconds).toBeGreaterThan(23 * 3600);
    await expect.poll(() => holder.lease().validUntilMs).toBeGreaterThan(validUntilMs);
  });

  it('is given up at once when another process holds it, for another number', async () => {
    const holder = await acquire(20);
    const { nodeNo } = holder.lease();
    await systemEm(orm).execute("update process_node set owner = 'another process' where node_no = ?", [
      nodeNo,
    ]);
    await expect.poll(() => holder.lease().nodeNo).not.toBe(nodeNo);
    expect((await leaseOf(nodeNo)).owner.trim()).toBe('another process');
    await systemEm(orm).execute('delete from process_node where node_no = ?', [nodeNo]);
  });

  it('rests for a minute after its release, and makes no more ids', async () => {
    const holder = await acquire();
    const { nodeNo } = holder.lease();
    const ids = new IdGenerator(systemClock, () => holder.lease());
    ids.next();
    await holder.release();
    expect((await leaseOf(nodeNo)).seconds).toBeGreaterThan(50);
    expect((await leaseOf(nodeNo)).seconds).toBeLessThanOrEqual(60);
    expect(() => ids.next()).toThrow('lease has run out');
  });

  it('that has run out is free for the next process, and only for one', async () => {
    const { databaseUrl, drop } = await createScratchDatabase();
    const own = await connectOrm({ databaseUrl, poolSize: 4, entities });
    try {
      // All numbers are leased but 7, whose lease has run out.
      await systemEm(own).execute(
        `insert into process_node (node_no, owner, leased_until)
         with recursive n (i) as (select 0 union all select i + 1 from n where i < 63)
         select a.i * 64 + b.i, 'holder', utc_timestamp(3) + interval if(a.i = 0 and b.i = 7, -1, 60) second
         from n a cross join n b`,
      );
      const settled = await Promise.allSettled([1, 2, 3].map(async () => acquireProcessNode(own, log)));
      const won = settled.filter((one) => one.status === 'fulfilled').map((one) => one.value.lease().nodeNo);
      expect(won).toEqual([7]);
    } finally {
      await own.close(true);
      await drop();
    }
  });
});
