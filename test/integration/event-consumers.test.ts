import { setTimeout as pause } from 'node:timers/promises';
import type { MikroORM } from '@mikro-orm/core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { entities } from '../../src/app/modules.js';
import { createLog } from '../../src/platform/observability/log.js';
import { connectOrm, systemEm, tenantEm } from '../../src/platform/database/orm.js';
import { ConsumerCursors } from '../../src/platform/outbox/consumer-cursors.js';
import { PartitionLeases } from '../../src/platform/leases/partition-leases.js';
import type { EventConsumer } from '../../src/platform/outbox/event-consumers.js';
import { EventLog } from '../../src/platform/outbox/event-log.js';
import { ConsumerCursor, OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import type { PublishedEvent } from '../../src/platform/outbox/published-event.js';
import { turn, withLagOf } from '../support/lag.js';
import { leasedConsumers, type LeasedConsumers } from '../support/leased-consumers.js';
import { newTenant, openFeedWorld, span, type FeedWorld } from '../support/feed-world.js';

let world: FeedWorld;
let databaseUrl: string;
const running: LeasedConsumers[] = [];
const log = createLog({ level: 'silent' });

beforeAll(async () => {
  world = await openFeedWorld();
  databaseUrl = world.databaseUrl;
});
afterEach(async () => {
  await Promise.all(running.splice(0).map(async (each) => each.stop()));
});
afterAll(async () => world?.close());

/** Commits an event of each type, in one transaction each. */
async function append(tenantId: string, ...types: string[]): Promise<void> {
  for (const type of types) await world.commit(tenantId, null, 1, type);
}

/** A consumer that records the events of one tenant, after an action of the test. */
function collector(
  tenantId: string,
  more: Partial<EventConsumer> & {
    readonly before?: (events: readonly PublishedEvent[]) => Promise<void>;
  } = {},
) {
  const { before, ...rest } = more;
  const events: PublishedEvent[] = [];
  const consumer: EventConsumer = {
    name: `of ${tenantId}`,
    types: ['a', 'b'],
    handle: async (of, got) => {
      if (of !== tenantId) return;
      await before?.(got);
      events.push(...got);
    },
    ...rest,
  };
  return { events, consumer };
}

function newWorker(consumers: readonly EventConsumer[], own: MikroORM = world.orm): LeasedConsumers {
  const worker = leasedConsumers(consumers, { orm: own, eventLog: new EventLog(own, 5000), log });
  running.push(worker);
  return worker;
}

const seqs = (events: readonly PublishedEvent[]): number[] => events.map(({ seq }) => seq);

async function cursorOf(tenantId: string, consumer: string): Promise<number> {
  return (await tenantEm(world.orm, tenantId).findOne(ConsumerCursor, { consumer }))?.seq ?? 0;
}

describe('the consumers of events', () => {
  it('get what was committed, as it was written, each the types that it wants', async () => {
    const tenantId = newTenant();
    await world.transactions.run(tenantId, async (em) => {
      const payload = { a: { b: [1, 'x'] } };
      world.outbox.append(em, tenantId, [{ type: 'a', userId: '17', subjectId: '9', payload }]);
      return Promise.resolve();
    });
    await append(tenantId, 'c', 'b');
    const [all, some] = [collector(tenantId), collector(tenantId, { name: 'some', types: ['b'] })];
    newWorker([all.consumer, some.consumer]).start();
    await expect.poll(() => [seqs(all.events), seqs(some.events)]).toEqual([[1, 3], [3]]);
    const row = await tenantEm(world.orm, tenantId).findOneOrFail(OutboxEvent, { seq: 1 });
    expect(all.events[0]).toEqual({
      tenantId,
      seq: 1,
      type: 'a',
      userId: '17',
      payload: { a: { b: [1, 'x'] } },
      createdAt: row.createdAt,
    });
    expect(row.createdAt).toBeInstanceOf(Date);
    await expect.poll(async () => cursorOf(tenantId, 'some')).toBe(3);
  });

  it('get more than one batch, in order, and each tenant its own', async () => {
    const [tenantId, other] = [newTenant(), newTenant()];
    await world.commit(tenantId, null, 1234, 'a');
    await world.commit(other, null, 3, 'a');
    const [mine, others] = [collector(tenantId), collector(other)];
    newWorker([mine.consumer, others.consumer]).start();
    await expect.poll(() => [mine.events.length, others.events.length]).toEqual([1234, 3]);
    expect(seqs(mine.events)).toEqual(span(1, 1234));
  });

  it('X.19 read a long log in parts, and look in between whether the tenant is still theirs', async () => {
    const tenantId = newTenant();
    for (let part = 0; part < 13; part += 1) await world.commit(tenantId, null, 1000, 'a');
    for (let part = 0; part < 12; part += 1) await world.commit(tenantId, null, 1000, 'c');
    await append(tenantId, 'b');
    const looks = vi.spyOn(EventLog.prototype, 'next');
    const held = vi.spyOn(PartitionLeases.prototype, 'whileHeld');
    const heldAt: number[] = [];
    const { events, consumer } = collector(tenantId, {
      before: async () => {
        heldAt.push(held.mock.calls.length);
        return Promise.resolve();
      },
    });
    newWorker([consumer]).start();
    await expect.poll(() => events.length, { timeout: 60_000 }).toBe(13_001);
    expect(seqs(events)).toEqual([...span(1, 13_000), 25_001]);
    for (const [, , after, upTo] of looks.mock.calls) expect(upTo - after).toBeLessThanOrEqual(10_000);
    expect(heldAt, 'one look before each call').toEqual([...new Set(heldAt)]);
    looks.mockRestore();
    held.mockRestore();
  });

  it('are run by one of two processes for a tenant, and get each event once while tenants change hands', async () => {
    const other = await connectOrm({ databaseUrl, poolSize: 6, entities });
    const tenantId = newTenant();
    const { events, consumer } = collector(tenantId);
    const workers = [newWorker([consumer]), newWorker([consumer], other)];
    for (const worker of workers) worker.start();
    for (let round = 0; round < 40; round += 1) {
      await append(tenantId, 'a', 'b');
      for (const worker of workers) worker.heard(tenantId);
    }
    await expect.poll(() => events.length).toBe(80);
    await pause(50);
    expect(seqs(events)).toEqual(span(1, 80));
    await Promise.all(workers.map(async (worker) => worker.stop()));
    await other.close(true);
  });

  it('move to another process when theirs stops', async () => {
    const tenantId = newTenant();
    const { events, consumer } = collector(tenantId);
    const first = newWorker([consumer]);
    first.start();
    await append(tenantId, 'a');
    await expect.poll(() => events.length).toBe(1);
    newWorker([consumer]).start();
    await first.stop();
    await append(tenantId, 'a');
    await expect.poll(() => seqs(events)).toEqual([1, 2]);
  });

  it('are woken by the doorbell long before their poll', async () => {
    const tenantId = newTenant();
    const { events, consumer } = collector(tenantId);
    const worker = newWorker([consumer]);
    worker.start();
    await append(tenantId, 'a');
    await expect.poll(() => events.length).toBe(1);
    const delays: number[] = [];
    const hear = async (): Promise<void> => {
      for (let count = 2; count <= 6; count += 1) {
        const sinceMs = performance.now();
        await append(tenantId, 'a');
        worker.heard(tenantId);
        await expect.poll(() => events.length, { interval: 2, timeout: 30_000 }).toBe(count);
        delays.push(performance.now() - sinceMs);
      }
    };
    const look = async () => Promise.all([turn(), systemEm(world.orm).execute('select 1')]);
    const { lagMs } = await withLagOf([look], hear);
    expect(delays.toSorted((a, b) => a - b)[2]).toBeLessThan(600 + 2 * lagMs);
  });

  it('poll each second, and retry what failed, when the clock is set back an hour', async () => {
    const tenantId = newTenant();
    let isHeldUp = true;
    let failures = 0;
    const { events, consumer } = collector(tenantId, {
      before: async () => {
        if (!isHeldUp) return Promise.resolve();
        failures += 1;
        throw new Error('Redis is away');
      },
    });
    newWorker([consumer]).start();
    const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now() - 3_600_000);
    try {
      await append(tenantId, 'a');
      // Without a doorbell: the poll alone finds the event, fails, and the next one retries.
      await vi.waitFor(() => expect(failures).toBeGreaterThan(0), 30_000);
      isHeldUp = false;
      await vi.waitFor(() => expect(events.map((event) => event.type)).toEqual(['a']), 30_000);
    } finally {
      clock.mockRestore();
    }
  });

  it('begin with the oldest event that is kept, and then hold back those behind it', async () => {
    const tenantId = newTenant();
    await append(tenantId, 'a', 'a', 'a');
    await world.forget(tenantId, 2);
    const { events, consumer } = collector(tenantId);
    newWorker([consumer]).start();
    await expect.poll(() => seqs(events)).toEqual([3]);
    await expect.poll(async () => cursorOf(tenantId, consumer.name)).toBe(3);
  });

  it('resume with the oldest event that is left when those after their cursor are deleted', async () => {
    const tenantId = newTenant();
    await append(tenantId, 'a', 'a', 'a');
    const { events, consumer } = collector(tenantId);
    await tenantEm(world.orm, tenantId).insert(ConsumerCursor, { tenantId, consumer: consumer.name, seq: 1 });
    await world.forget(tenantId, 2);
    newWorker([consumer]).start();
    await expect.poll(() => seqs(events)).toEqual([3]);
  });

  it.each([
    ['with no cursor', null],
    ['with a cursor before the deleted events', 1],
  ])(
    '%s take their place in a log of which nothing is kept, and wait until there is an event',
    async (_what, seq) => {
      const tenantId = newTenant();
      await append(tenantId, 'a', 'a');
      await world.forget(tenantId, 2);
      const { events, consumer } = collector(tenantId);
      const cursor = { tenantId, consumer: consumer.name };
      if (seq !== null) await tenantEm(world.orm, tenantId).insert(ConsumerCursor, { ...cursor, seq });
      newWorker([consumer]).start();
      await expect.poll(async () => cursorOf(tenantId, consumer.name)).toBe(2);
      expect(await new ConsumerCursors(world.orm, [consumer.name]).tenantsBehind()).not.toContain(tenantId);
      await append(tenantId, 'a');
      await expect.poll(() => seqs(events)).toEqual([3]);
    },
  );
});

describe('events that wait for a consumer', () => {
  let scratch: FeedWorld;
  const pending = async (...names: string[]) => new ConsumerCursors(scratch.orm, names).pending();
  const stand = async (tenantId: string, consumer: string, seq: number) =>
    tenantEm(scratch.orm, tenantId).insert(ConsumerCursor, { tenantId, consumer, seq });
  beforeEach(async () => {
    scratch = await openFeedWorld();
  });
  afterEach(async () => scratch.close());

  it('are counted by the slowest of the consumers of this version, in each tenant', async () => {
    const [one, other] = [newTenant(), newTenant()];
    await scratch.commit(one, null, 5, 'a');
    await scratch.commit(other, null, 7, 'a');
    await stand(one, 'quick', 5);
    await stand(one, 'slow', 3);
    await stand(other, 'quick', 6);
    await stand(other, 'slow', 7);
    expect(await pending('quick', 'slow')).toBe(3);
  });

  it('are not counted for a consumer that this version does not have', async () => {
    const tenantId = newTenant();
    await scratch.commit(tenantId, null, 5, 'a');
    await stand(tenantId, 'quick', 5);
    await stand(tenantId, 'removed', 1);
    expect(await pending('quick')).toBe(0);
    expect(await pending()).toBe(0);
  });

  it('are those that are kept, for a consumer that is new', async () => {
    const tenantId = newTenant();
    await scratch.commit(tenantId, null, 5, 'a');
    await scratch.forget(tenantId, 3);
    await stand(tenantId, 'quick', 5);
    expect(await pending('quick', 'new')).toBe(2);
    await scratch.forget(tenantId, 5);
    expect(await pending('quick', 'new')).toBe(0);
  });
});

describe('a consumer that fails', () => {
  it('gets the same events again, and holds up neither the other consumers nor the other tenants', async () => {
    const [tenantId, other] = [newTenant(), newTenant()];
    const attempts: number[][] = [];
    let isAway = true;
    const failing = collector(tenantId, {
      before: async (events) => {
        attempts.push(seqs(events));
        if (isAway) throw new Error('Redis is away');
        return Promise.resolve();
      },
    });
    const sound = collector(tenantId, { name: 'sound' });
    const others = collector(other, { name: failing.consumer.name, handle: failing.consumer.handle });
    const ofOther = collector(other, { name: 'other' });
    const worker = newWorker([failing.consumer, sound.consumer, ofOther.consumer]);
    worker.start();
    await append(tenantId, 'a');
    worker.heard(tenantId);
    await expect.poll(() => attempts.length).toBeGreaterThan(0);
    await append(tenantId, 'b');
    await append(other, 'a');
    worker.heard(other);
    worker.heard(tenantId);
    await expect.poll(() => [seqs(sound.events), seqs(ofOther.events)]).toEqual([[1, 2], [1]]);
    expect(failing.events).toEqual([]);
    await expect.poll(() => attempts.length).toBeGreaterThan(1);
    isAway = false;
    await expect.poll(() => seqs(failing.events)).toEqual([1, 2]);
    expect(attempts[0]).toEqual([1]);
    expect(others.events).toEqual([]);
  });

  it('delays no other consumer when it hangs', async () => {
    const [tenantId, other] = [newTenant(), newTenant()];
    const mayGoOn = Promise.withResolvers<void>();
    const hanging = collector(tenantId, { before: async () => mayGoOn.promise });
    const sound = collector(tenantId, { name: 'sound' });
    const ofOther = collector(other, { name: 'other' });
    const worker = newWorker([hanging.consumer, sound.consumer, ofOther.consumer]);
    worker.start();
    await append(tenantId, 'a');
    await expect.poll(() => seqs(sound.events)).toEqual([1]);
    await append(tenantId, 'a');
    await append(other, 'a');
    worker.heard(other);
    worker.heard(tenantId);
    await expect.poll(() => [seqs(sound.events), seqs(ofOther.events)]).toEqual([[1, 2], [1]]);
    expect(await cursorOf(tenantId, hanging.consumer.name)).toBe(0);
    mayGoOn.resolve();
    await expect.poll(() => seqs(hanging.events)).toEqual([1, 2]);
  });
});

/** As another worker takes them over from one that was silent, which then ends. */
async function takeAllPartitions(): Promise<void> {
  await systemEm(world.orm).execute(
    "update lease set owner = '', fence = fence + 1, expires_at = utc_timestamp(3) where name like 'tenants/%'",
  );
}

describe('a worker that lost its tenants to another', () => {
  it('leaves the events that it was at to the next one, and moves no cursor', async () => {
    const tenantId = newTenant();
    await append(tenantId, 'a', 'b');
    const isLate = Promise.withResolvers<void>();
    const mayGoOn = Promise.withResolvers<void>();
    const lost = collector(tenantId, {
      name: 'shared',
      before: async () => {
        isLate.resolve();
        await mayGoOn.promise;
      },
    });
    const late = newWorker([lost.consumer]);
    late.start();
    await isLate.promise;
    await late.leases.stop();
    await takeAllPartitions();
    const mayRead = Promise.withResolvers<void>();
    const { events, consumer } = collector(tenantId, { name: 'shared', before: async () => mayRead.promise });
    const next = newWorker([consumer]);
    next.start();
    // It comes to the end of its work when the tenant is another's, and before that one has moved the cursor.
    await expect.poll(() => next.leases.holds(tenantId)).toBe(true);
    mayGoOn.resolve();
    await expect.poll(() => seqs(lost.events)).toEqual([1, 2]);
    await late.stop();
    expect(await cursorOf(tenantId, 'shared')).toBe(0);
    mayRead.resolve();
    await append(tenantId, 'a');
    await expect.poll(() => seqs(events)).toEqual([1, 2, 3]);
    await expect.poll(async () => cursorOf(tenantId, 'shared')).toBe(3);
  });

  it('takes them again when they are free', async () => {
    const tenantId = newTenant();
    const { events, consumer } = collector(tenantId);
    newWorker([consumer]).start();
    await append(tenantId, 'a');
    await expect.poll(() => seqs(events)).toEqual([1]);
    await takeAllPartitions();
    await append(tenantId, 'b');
    await expect.poll(() => new Set(seqs(events))).toEqual(new Set([1, 2]));
  });
});
