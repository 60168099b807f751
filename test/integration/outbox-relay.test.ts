import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { MikroORM } from '@mikro-orm/core';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { entities } from '../../src/app/modules.js';
import { systemClock } from '../../src/platform/clock.js';
import { IdGenerator } from '../../src/platform/ids.js';
import { createLog } from '../../src/platform/observability/log.js';
import { connectOrm, systemEm, tenantEm } from '../../src/platform/database/orm.js';
import { Transactions } from '../../src/platform/database/transaction.js';
import { Outbox } from '../../src/platform/outbox/outbox.js';
import { OutboxCounter, OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import { OutboxRelay } from '../../src/platform/outbox/outbox-relay.js';
import { OutboxWake } from '../../src/platform/outbox/outbox-wake.js';
import type { PublishedEvent } from '../../src/platform/outbox/published-event.js';
import { connectRedis, connectRedisListener } from '../../src/platform/redis/redis.js';
import { createScratchDatabase, type ScratchDatabase } from '../support/scratch-database.js';

let scratch: ScratchDatabase;
let orm: MikroORM;
const running: OutboxRelay[] = [];
const log = createLog({ level: 'silent' });
const ids = new IdGenerator(systemClock, () => ({ nodeNo: 1, validUntilMs: Number.MAX_SAFE_INTEGER }));
const outbox = new Outbox(ids, systemClock);

beforeAll(async () => {
  scratch = await createScratchDatabase(inject('databaseUrl'));
  orm = await connectOrm({ databaseUrl: scratch.databaseUrl, poolSize: 14, entities });
});
afterEach(async () => {
  await Promise.all(running.splice(0).map(async (relay) => relay.stop()));
});
afterAll(async () => {
  await orm.close(true);
  await scratch.drop();
});

const newTenant = (): string => `T_${randomBytes(6).toString('hex')}`;

/** Commits events in one transaction each. */
async function append(tenantId: string, ...types: string[]): Promise<void> {
  for (const type of types) {
    await new Transactions(orm).run(tenantId, async (em) =>
      outbox.append(em, tenantId, [{ type, userId: null, payload: { type } }]),
    );
  }
}

function newRelay(publish: (events: readonly PublishedEvent[]) => Promise<void>, own = orm): OutboxRelay {
  const relay = new OutboxRelay({ orm: own, log, publish });
  running.push(relay);
  return relay;
}

/** Collects what is published to one tenant; the relay serves all of them. */
function collector(tenantId: string): {
  events: PublishedEvent[];
  publish: (e: readonly PublishedEvent[]) => Promise<void>;
} {
  const events: PublishedEvent[] = [];
  return {
    events,
    publish: async (batch) => void events.push(...batch.filter((event) => event.tenantId === tenantId)),
  };
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1);

describe('the outbox relay', () => {
  it('publishes what was committed, as it was written', async () => {
    const tenantId = newTenant();
    await new Transactions(orm).run(tenantId, async (em) =>
      outbox.append(em, tenantId, [
        { type: 'redemption_settled', userId: '17', payload: { a: { b: [1, 'x'] } } },
      ]),
    );
    const { events, publish } = collector(tenantId);
    newRelay(publish).start();
    await expect.poll(() => events).toHaveLength(1);
    const row = await tenantEm(orm, tenantId).findOneOrFail(OutboxEvent, {});
    expect(row.seq).toBe(1);
    expect(events[0]).toEqual({
      id: row.id,
      tenantId,
      seq: 1,
      type: 'redemption_settled',
      userId: '17',
      payload: { a: { b: [1, 'x'] } },
      createdAt: row.createdAt,
    });
    expect(row.createdAt).toBeInstanceOf(Date);
  });

  it('numbers each tenant without gaps and publishes in that order, with 8 writers at once', async () => {
    const tenants = [newTenant(), newTenant()];
    const collectors = tenants.map(collector);
    const relay = newRelay(async (events) => {
      for (const one of collectors) await one.publish(events);
    });
    relay.start();
    const writer = async (): Promise<void> => {
      for (let round = 0; round < 25; round += 1) {
        const tenantId = tenants[round % 2] ?? '';
        await new Transactions(orm).run(tenantId, async (em) => {
          const drafts = upTo(5).map((n) => ({ type: `t${n}`, userId: null, payload: {} }));
          await outbox.append(em, tenantId, drafts);
          await pause(randomInt(5));
        });
        relay.wake(tenantId);
      }
    };
    await Promise.all(upTo(8).map(writer));
    const counts = [8 * 13 * 5, 8 * 12 * 5];
    await expect.poll(() => collectors.map((one) => one.events.length), { timeout: 10_000 }).toEqual(counts);
    collectors.forEach((one, at) => {
      expect(one.events.map((event) => event.seq)).toEqual(upTo(counts[at] ?? 0));
      expect(new Set(one.events.map((event) => event.id)).size).toBe(counts[at]);
    });
    await expect
      .poll(async () => (await tenantEm(orm, tenants[0] ?? '').findOneOrFail(OutboxCounter, {})).publishedSeq)
      .toBe(counts[0]);
  });

  it('publishes more than one batch, in order', async () => {
    const tenantId = newTenant();
    const drafts = upTo(1234).map(() => ({ type: 't', userId: null, payload: {} }));
    await new Transactions(orm).run(tenantId, async (em) => outbox.append(em, tenantId, drafts));
    const { events, publish } = collector(tenantId);
    newRelay(publish).start();
    await expect.poll(() => events.length).toBe(1234);
    expect(events.map((event) => event.seq)).toEqual(upTo(1234));
    expect(events.map((event) => event.id)).toEqual(events.map((event) => event.id).toSorted());
  });

  it('of two publishes each event once, with one number', async () => {
    const other = await connectOrm({ databaseUrl: scratch.databaseUrl, poolSize: 6, entities });
    const tenantId = newTenant();
    const { events, publish } = collector(tenantId);
    const relays = [newRelay(publish), newRelay(publish, other)];
    for (const relay of relays) relay.start();
    for (let round = 0; round < 40; round += 1) {
      await append(tenantId, 'a', 'b');
      for (const relay of relays) relay.wake(tenantId);
    }
    await expect.poll(() => events.length).toBe(80);
    await pause(50);
    expect(events.map((event) => event.seq)).toEqual(upTo(80));
    expect(relays.map((relay) => relay.wake(tenantId)).filter(Boolean)).toHaveLength(1);
    await Promise.all(relays.map(async (relay) => relay.stop()));
    await other.close(true);
  });

  it('is followed by another one when it stops', async () => {
    const tenantId = newTenant();
    const { events, publish } = collector(tenantId);
    const first = newRelay(publish);
    first.start();
    await expect.poll(() => first.wake(tenantId)).toBe(true);
    const second = newRelay(publish);
    second.start();
    await first.stop();
    await append(tenantId, 'a');
    await expect.poll(() => events.map((event) => event.seq), { timeout: 5000 }).toEqual([1]);
  });

  it('looks by itself each second, and tries a held-up tenant again, when the clock is set back an hour', async () => {
    const tenantId = newTenant();
    const { events, publish } = collector(tenantId);
    let isHeldUp = true;
    const relay = newRelay(async (batch) => {
      if (isHeldUp && batch[0]?.tenantId === tenantId) throw new Error('no subscriber can be reached');
      await publish(batch);
    });
    relay.start();
    await expect.poll(() => relay.wake(tenantId)).toBe(true);
    const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now() - 3_600_000);
    try {
      await append(tenantId, 'a');
      // Nobody wakes it: the poll alone finds the event, fails, and the next one tries again.
      const counter = async () => tenantEm(orm, tenantId).findOne(OutboxCounter, {});
      await vi.waitFor(async () => expect(await counter()).toMatchObject({ publishedSeq: 0 }), 4000);
      isHeldUp = false;
      await vi.waitFor(() => expect(events.map((event) => event.type)).toEqual(['a']), 4000);
    } finally {
      clock.mockRestore();
    }
  });

  it('publishes the events of others while the rows of one tenant are locked', async () => {
    const [held, other] = [newTenant(), newTenant()];
    await append(held, 't');
    const em = tenantEm(orm, held);
    const ofHeld = collector(held);
    const ofOther = collector(other);
    const relay = newRelay(async (batch) => {
      await Promise.all([ofHeld.publish(batch), ofOther.publish(batch)]);
    });
    relay.start();
    await expect.poll(() => ofHeld.events).toHaveLength(1);
    await em.begin();
    await em.execute('select * from outbox_counter where tenant_id = ? for update', [held]);
    await append(held, 't');
    relay.wake(held);
    await pause(50);
    await append(other, 't');
    const startMs = performance.now();
    relay.wake(other);
    await expect.poll(() => ofOther.events).toHaveLength(1);
    // The relay would wait two seconds for the lock.
    expect(performance.now() - startMs).toBeLessThan(1500);
    await em.rollback();
    await expect.poll(() => ofHeld.events).toHaveLength(2);
  });

  it('does not wait for events that are not committed yet', async () => {
    const tenantId = newTenant();
    const { events, publish } = collector(tenantId);
    const relay = newRelay(publish);
    const { promise: go, resolve: finish } = Promise.withResolvers<void>();
    const { promise: written, resolve: nowWritten } = Promise.withResolvers<void>();
    const slow = new Transactions(orm).run(tenantId, async (em) => {
      await outbox.append(em, tenantId, [{ type: 'slow', userId: null, payload: {} }]);
      nowWritten();
      await go;
    });
    await written;
    await append(tenantId, 'fast');
    relay.start();
    await expect.poll(() => events.map((event) => event.type), { timeout: 900 }).toEqual(['fast']);
    finish();
    await slow;
    await expect
      .poll(() => events.map((event) => [event.type, event.seq]), { timeout: 5000 })
      .toEqual([
        ['fast', 1],
        ['slow', 2],
      ]);
  });
});

/** Kills the connection that the active relay keeps its lock with. */
async function cutLockHolder(): Promise<void> {
  const [row] = await systemEm(orm).execute<[{ id: number }]>(
    "select is_used_lock(concat('outbox_relay:', left(sha2(database(), 256), 32))) as id",
  );
  await systemEm(orm).execute(`kill ${row.id}`);
}

describe('a relay that crashes between commit and publication', () => {
  it('leaves the events to the next one, with the same ids and numbers', async () => {
    const tenantId = newTenant();
    await append(tenantId, 'a', 'b');
    const lost: PublishedEvent[] = [];
    const own = await connectOrm({ databaseUrl: scratch.databaseUrl, poolSize: 4, entities });
    const crashing = newRelay(async (events) => {
      lost.push(...events.filter((event) => event.tenantId === tenantId));
      // Its connection is cut, and the process never comes to publish.
      await cutLockHolder();
      await Promise.withResolvers<void>().promise;
    }, own);
    running.pop();
    crashing.start();
    await expect.poll(() => lost).toHaveLength(2);
    const { events, publish } = collector(tenantId);
    newRelay(publish).start();
    await expect.poll(() => events, { timeout: 5000 }).toHaveLength(2);
    expect(events).toEqual(lost);
    await own.close(true);
  });

  it('comes back by itself when only its connection was cut', async () => {
    const tenantId = newTenant();
    const own = await connectOrm({ databaseUrl: scratch.databaseUrl, poolSize: 4, entities });
    const { events, publish } = collector(tenantId);
    const relay = newRelay(publish, own);
    relay.start();
    await append(tenantId, 'a');
    await expect.poll(() => events).toHaveLength(1);
    await cutLockHolder();
    await append(tenantId, 'b');
    await expect.poll(() => events.map((event) => event.seq), { timeout: 5000 }).toEqual([1, 2]);
    await relay.stop();
    await own.close(true);
  });
});

describe('a publication that fails', () => {
  it('is repeated from the first event that was not published, and later events wait their turn', async () => {
    const tenantId = newTenant();
    const other = newTenant();
    const { events, publish } = collector(tenantId);
    const others = collector(other);
    let failures = 0;
    const relay = newRelay(async (batch) => {
      await others.publish(batch);
      if (batch[0]?.tenantId === tenantId && failures < 2) {
        failures += 1;
        throw new Error('no subscriber can be reached');
      }
      await publish(batch);
    });
    relay.start();
    await append(tenantId, 'a');
    relay.wake(tenantId);
    await expect.poll(() => failures, { timeout: 5000 }).toBeGreaterThan(0);
    await append(tenantId, 'b');
    await append(other, 'x');
    relay.wake(other);
    await expect.poll(() => others.events.length, { timeout: 900 }).toBe(1);
    await expect.poll(() => events.map((event) => event.type), { timeout: 5000 }).toEqual(['a', 'b']);
  });
});

describe('a handler of the relay', () => {
  it('gets the events of its type before they are published, again after it failed', async () => {
    const tenantId = newTenant();
    const steps: string[] = [];
    const relay = newRelay(async (batch) => {
      for (const event of batch) if (event.tenantId === tenantId) steps.push(`published ${event.type}`);
    });
    relay.onEvent('campaign_changed', async (events) => {
      if (events[0]?.tenantId !== tenantId) return;
      steps.push(`handled ${events.map((event) => event.type).join()}`);
      if (steps.length === 1) throw new Error('Redis is away');
    });
    await append(tenantId, 'other', 'campaign_changed');
    relay.start();
    await expect
      .poll(() => steps, { timeout: 5000 })
      .toEqual([
        'handled campaign_changed',
        'handled campaign_changed',
        'published other',
        'published campaign_changed',
      ]);
  });
});

describe('a wake-up through Redis', () => {
  it('reaches the active relay of another process long before it looks by itself', async () => {
    const tenantId = newTenant();
    const { events, publish } = collector(tenantId);
    const active = newRelay(publish);
    active.start();
    await expect.poll(() => active.wake(tenantId)).toBe(true);
    const redis = connectRedis(inject('redisUrl'), 1000);
    const listeners = [
      connectRedisListener(inject('redisUrl')),
      connectRedisListener(inject('redisUrl')),
    ] as const;
    await new OutboxWake(redis, listeners[0], active).listen();
    const elsewhere = new OutboxWake(redis, listeners[1], newRelay(publish));
    const delays: number[] = [];
    for (const count of upTo(5)) {
      await append(tenantId, 'a');
      const sinceMs = performance.now();
      elsewhere.notify(tenantId);
      await expect.poll(() => events.length, { interval: 2 }).toBe(count);
      delays.push(performance.now() - sinceMs);
    }
    expect(delays.toSorted((a, b) => a - b)[2]).toBeLessThan(200);
    for (const connection of [redis, ...listeners]) connection.disconnect();
  });
});
