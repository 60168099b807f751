import { randomBytes } from 'node:crypto';
import type { MikroORM } from '@mikro-orm/core';
import { describe, expect, it } from 'vitest';
import { entities } from '../../src/app/modules.js';
import { Order } from '../../src/orders/orders/order.entity.js';
import { systemClock } from '../../src/platform/clock.js';
import { firstIdAt } from '../../src/platform/ids.js';
import { connectOrm, systemEm, tenantEm } from '../../src/platform/database/orm.js';
import { Transactions } from '../../src/platform/database/transaction.js';
import { OLDEST_HANDLED, OutboxRetention } from '../../src/platform/outbox/outbox-retention.js';
import { ConsumerCursor, OutboxCounter, OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import { Redemption, type RedemptionRowStatus } from '../../src/redemption/history/redemption.entity.js';
import { TombstoneMark } from '../../src/redemption/recovery/tombstone-mark.entity.js';
import { TombstoneRetention, WALK_TOMBSTONES } from '../../src/redemption/recovery/tombstone-retention.js';
import { TenantService } from '../../src/tenancy/tenant.service.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { createScratchDatabase } from '../support/scratch-database.js';

const DAY_MS = 86_400_000;
const OUTBOX_DAYS = 7;
const TOMBSTONE_DAYS = 30;

let orm: MikroORM;
let tenants: TenantService;
openBeforeAll(async (closing) => {
  // A private database, because these tests delete from all tenants.
  const scratch = await closing(createScratchDatabase());
  orm = await closing(connectOrm({ databaseUrl: scratch.databaseUrl, poolSize: 8, entities }));
  tenants = new TenantService(orm, systemClock, new Transactions(orm));
});

async function newTenant(): Promise<string> {
  const id = `T_${randomBytes(6).toString('hex').toUpperCase()}`;
  await tenants.create({ id, name: 'Test tenant', type: 'CHANNEL', codeQuota: 0 });
  return id;
}

const daysAgo = (days: number): number => systemClock.nowMs() - days * DAY_MS;
const CONSUMERS = ['quick', 'slow'];
const outboxRetention = () => new OutboxRetention(orm, OUTBOX_DAYS, CONSUMERS);
const tombstoneRetention = () => new TombstoneRetention(orm, new Transactions(orm), tenants, TOMBSTONE_DAYS);

let lastId = 0n;
function idAt(ms: number): string {
  lastId += 1n;
  return (BigInt(firstIdAt(ms)) + (lastId & 0xfffffn)).toString();
}

/** Events as old as the days say; one consumer has handled all of them, the other one the first `handled`. */
async function seedEvents(days: readonly number[], handled: number): Promise<string> {
  const tenantId = await newTenant();
  const em = tenantEm(orm, tenantId);
  const lastSeq = days.length;
  await em.insertMany(
    OutboxEvent,
    days.map((age, index) => ({
      tenantId,
      seq: index + 1,
      type: 'test',
      userId: null,
      subjectId: null,
      payload: {},
      createdAt: new Date(daysAgo(age)),
    })),
  );
  await em.insert(OutboxCounter, { tenantId, lastSeq });
  await em.insertMany(ConsumerCursor, [
    { tenantId, consumer: 'quick', seq: lastSeq },
    { tenantId, consumer: 'slow', seq: handled },
  ]);
  return tenantId;
}

/** All tenants are another worker's. */
const othersOwn = (): boolean => false;

async function seqsOf(tenantId: string): Promise<number[]> {
  const rows = await tenantEm(orm, tenantId).find(OutboxEvent, {}, { orderBy: { seq: 'asc' } });
  return rows.map(({ seq }) => seq);
}

describe('events of the outbox', () => {
  it('are deleted when they are handled and older than the retention', async () => {
    const tenantId = await seedEvents([9, 8, 7.1, 6.9, 1], 5);
    expect(await outboxRetention().prune(undefined, othersOwn)).toBe(0);
    expect(await outboxRetention().prune()).toBe(3);
    expect(await seqsOf(tenantId)).toEqual([4, 5]);
    expect(await outboxRetention().prune()).toBe(0);
    const counter = await tenantEm(orm, tenantId).findOneOrFail(OutboxCounter, {});
    expect(counter.lastSeq).toBe(5);
  });

  it('stay while one consumer has not handled them, however old, and what comes behind them too', async () => {
    const tenantId = await seedEvents([90, 80, 70, 60], 1);
    await outboxRetention().prune();
    expect(await seqsOf(tenantId)).toEqual([2, 3, 4]);
  });

  it('stay while a consumer has not begun, whatever others have done', async () => {
    const tenantId = await seedEvents([90, 80], 2);
    await new OutboxRetention(orm, OUTBOX_DAYS, [...CONSUMERS, 'new']).prune();
    expect(await seqsOf(tenantId)).toEqual([1, 2]);
    await new OutboxRetention(orm, OUTBOX_DAYS, ['quick']).prune();
    expect(await seqsOf(tenantId)).toEqual([]);
  });

  it('go past the cursor of a consumer that this version does not have, which is forgotten then', async () => {
    const tenantId = await seedEvents([90, 80, 1], 1);
    const cursors = async () => {
      const rows = await tenantEm(orm, tenantId).find(ConsumerCursor, {}, { orderBy: { consumer: 'asc' } });
      return rows.map(({ consumer, seq }) => [consumer, seq]);
    };
    const prune = async () => new OutboxRetention(orm, OUTBOX_DAYS, ['quick']).prune();
    await prune();
    expect(await seqsOf(tenantId)).toEqual([3]);
    expect(await cursors()).toEqual([['quick', 3]]);
  });

  it('leave another version its cursor while the event behind it is there', async () => {
    const tenantId = await seedEvents([90, 1, 1], 2);
    await new OutboxRetention(orm, OUTBOX_DAYS, ['quick']).prune();
    expect(await seqsOf(tenantId)).toEqual([2, 3]);
    const cursor = await tenantEm(orm, tenantId).findOneOrFail(ConsumerCursor, { consumer: 'slow' });
    expect(cursor.seq).toBe(2);
  });

  it('leave no gap behind: the first that is kept keeps all after it', async () => {
    const tenantId = await seedEvents([9, 1, 8, 2], 4);
    await outboxRetention().prune();
    expect(await seqsOf(tenantId)).toEqual([2, 3, 4]);
  });

  it('are deleted once, in batches, by several workers at once', async () => {
    const tenantId = await seedEvents(
      Array.from({ length: 2500 }, (_, index) => (index < 2300 ? 10 : 1)),
      2500,
    );
    const deleted = await Promise.all([1, 2, 3].map(async () => outboxRetention().prune()));
    expect(deleted.reduce((sum, count) => sum + count, 0)).toBe(2300);
    const left = await seqsOf(tenantId);
    expect([left.length, Math.min(...left)]).toEqual([200, 2301]);
  });

  it('are deleted of all tenants but the one whose rows are locked, which is reported', async () => {
    const both = [await seedEvents([9, 9], 2), await seedEvents([9, 9], 2)];
    // Whichever comes first in the order of tenants must not stop the other.
    const [locked = '', other = ''] = both.toSorted();
    const em = tenantEm(orm, locked);
    await em.begin();
    await em.execute('select seq from outbox_event where tenant_id = ? for update', [locked]);
    await expect(outboxRetention().prune()).rejects.toThrow();
    await em.rollback();
    expect(await tenantEm(orm, other).count(OutboxEvent, {})).toBe(0);
    expect(await tenantEm(orm, locked).count(OutboxEvent, {})).toBe(2);
    await outboxRetention().prune();
    expect(await tenantEm(orm, locked).count(OutboxEvent, {})).toBe(0);
  });

  it('are found through the index of their numbers', async () => {
    const tenantId = await seedEvents(
      Array.from({ length: 3000 }, () => 1),
      3000,
    );
    const plan = await systemEm(orm).execute<{ table: string; key: string; rows: number; Extra: string }[]>(
      `explain format=traditional ${OLDEST_HANDLED}`,
      [new Date(0), tenantId, 2, tenantId, CONSUMERS],
    );
    const events = plan.find(({ table }) => table === 'outbox_event');
    expect(events?.key).toBe('PRIMARY');
    expect(events?.Extra).not.toContain('filesort');
  });
});

async function seedRedemptions(
  rows: readonly { readonly days: number; readonly status: RedemptionRowStatus }[],
  given?: string,
): Promise<string> {
  const tenantId = given ?? (await newTenant());
  await tenantEm(orm, tenantId).insertMany(
    Redemption,
    rows.map(({ days, status }, index) => ({
      tenantId,
      id: idAt(daysAgo(days)),
      status,
      codeId: String(index + 1),
      campaignId: '1',
      batchId: '1',
      userId: '1',
      useNo: status === 'ABORTED' ? null : 1,
      userUseNo: status === 'ABORTED' ? null : 1,
      idempotencyKey: null,
      productCode: 'DEMO',
      deviceId: null,
      claimedAt: new Date(daysAgo(days)),
      settledAt: new Date(daysAgo(days)),
      abortReason: status === 'ABORTED' ? 'DEADLINE_PASSED' : null,
    })),
  );
  return tenantId;
}

async function statusesOf(tenantId: string): Promise<string[]> {
  const rows = await tenantEm(orm, tenantId).find(Redemption, {}, { orderBy: { id: 'asc' } });
  return rows.map(({ status }) => status);
}

describe('tombstones', () => {
  it('are deleted when no claim can need them any more, and redemptions never', async () => {
    const tenantId = await seedRedemptions([
      { days: 50, status: 'ABORTED' },
      { days: 45, status: 'COMMITTED' },
      { days: 40, status: 'REVERSED' },
      { days: 31, status: 'ABORTED' },
      { days: 29, status: 'ABORTED' },
      { days: 1, status: 'COMMITTED' },
    ]);
    expect(await tombstoneRetention().prune(undefined, othersOwn)).toBe(0);
    expect(await tombstoneRetention().prune()).toBe(2);
    expect(await statusesOf(tenantId)).toEqual(['COMMITTED', 'REVERSED', 'ABORTED', 'COMMITTED']);
    expect(await tombstoneRetention().prune()).toBe(0);
  });

  it('leave orders that failed, which bear the same ids', async () => {
    const tenantId = await seedRedemptions([{ days: 50, status: 'ABORTED' }]);
    const em = tenantEm(orm, tenantId);
    const { id } = await em.findOneOrFail(Redemption, {});
    await em.insert(Order, {
      tenantId,
      id,
      userId: '1',
      type: 'REDEMPTION',
      status: 'FAILED',
      amount: '0',
      isNew: true,
      subscriptionId: null,
      createdAt: new Date(daysAgo(50)),
      finishedAt: new Date(daysAgo(50)),
    });
    expect(await tombstoneRetention().prune()).toBe(1);
    expect(await tenantEm(orm, tenantId).count(Order, {})).toBe(1);
  });

  it('are walked to once: what was passed is not read again', async () => {
    const tenantId = await seedRedemptions([{ days: 40, status: 'COMMITTED' }]);
    await tombstoneRetention().prune();
    const mark = await tenantEm(orm, tenantId).findOneOrFail(TombstoneMark, {});
    const { id } = await tenantEm(orm, tenantId).findOneOrFail(Redemption, {});
    expect(mark.clearedToId).toBe(id);
    await seedRedemptions([{ days: 35, status: 'ABORTED' }], tenantId);
    expect(await tombstoneRetention().prune()).toBe(1);
  });

  it('are deleted once, in steps, by several workers at once', async () => {
    const tenantId = await seedRedemptions(
      Array.from({ length: 6000 }, (_, index) => ({
        days: 60 - index / 1000,
        status: index % 3 === 0 ? ('ABORTED' as const) : ('COMMITTED' as const),
      })),
    );
    const deleted = await Promise.all([1, 2, 3].map(async () => tombstoneRetention().prune()));
    expect(deleted.reduce((sum, count) => sum + count, 0)).toBe(2000);
    expect(await statusesOf(tenantId)).toEqual(Array.from({ length: 4000 }, () => 'COMMITTED'));
  }, 120_000);

  it('are found through the primary key', async () => {
    const tenantId = await seedRedemptions(
      Array.from({ length: 3000 }, () => ({ days: 40, status: 'COMMITTED' as const })),
    );
    const plan = await systemEm(orm).execute<{ key: string; type: string; Extra: string }[]>(
      `explain format=traditional ${WALK_TOMBSTONES}`,
      [tenantId, '0', firstIdAt(daysAgo(TOMBSTONE_DAYS))],
    );
    expect(plan[0]).toMatchObject({ key: 'PRIMARY', type: 'range' });
    expect(plan[0]?.Extra).not.toContain('filesort');
  });
});
