import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StoreUnavailableError } from '../../src/platform/errors.js';
import { createLog } from '../../src/platform/observability/log.js';
import { OutboxRelay } from '../../src/platform/outbox/outbox-relay.js';
import { collect, newTenant, openFeedWorld, SETTLED, span, type FeedWorld } from '../support/feed-world.js';
import { killListener } from '../support/redis-connections.js';

const log = createLog({ level: 'silent' });
const USER = '17';
const OTHER = '18';

let world: FeedWorld;
beforeAll(async () => {
  world = await openFeedWorld();
});
afterAll(async () => {
  await world.close();
});

const own = (tenantId: string, userId: string | null = USER) => ({ tenantId, type: SETTLED, userId });

/** Some time in which nothing more may come. */
const QUIET_MS = 150;

describe('a subscription with a cursor', () => {
  it('X.1 gives what was missed, then goes on live, each event once and in order', async () => {
    const tenantId = newTenant();
    const { feed } = world.newProcess();
    await world.commit(tenantId, USER, 1300);
    await world.relay(tenantId);
    const heard = collect(await feed.subscribe(own(tenantId), 7));
    await expect.poll(() => heard.seqs.length).toBe(1293);
    await world.commit(tenantId, USER, 5);
    await world.relay(tenantId);
    await expect.poll(() => heard.seqs.length).toBe(1298);
    expect(heard.seqs).toEqual(span(8, 1305));
  });

  it('X.1 gives a user their own events, staff all of the tenant, and nobody those of another tenant', async () => {
    const [tenantId, foreign] = [newTenant(), newTenant()];
    const { feed } = world.newProcess();
    for (const tenant of [tenantId, foreign]) {
      for (const user of [USER, OTHER, USER]) await world.commit(tenant, user, 2);
      await world.commit(tenant, USER, 1, 'subscription_invalidated');
      await world.relay(tenant);
    }
    const heard = {
      user: collect(await feed.subscribe(own(tenantId), 0)),
      other: collect(await feed.subscribe(own(tenantId, OTHER), 0)),
      staff: collect(await feed.subscribe(own(tenantId, null), 0)),
    };
    for (const tenant of [tenantId, foreign]) {
      await world.commit(tenant, OTHER, 1);
      await world.commit(tenant, USER, 1, 'subscription_invalidated');
      await world.commit(tenant, USER, 1);
      await world.relay(tenant);
    }
    await expect.poll(() => heard.staff.seqs.length).toBe(8);
    await pause(QUIET_MS);
    expect(heard.user.seqs).toEqual([1, 2, 5, 6, 10]);
    expect(heard.other.seqs).toEqual([3, 4, 8]);
    expect(heard.staff.seqs).toEqual([1, 2, 3, 4, 5, 6, 8, 10]);
  });

  it('X.1 misses nothing that is published before it looks, while it reads, and between pages', async () => {
    const tenantId = newTenant();
    const { feed, reader } = world.newProcess();
    await world.commit(tenantId, USER, 1200);
    await world.relay(tenantId);
    const more = async (): Promise<void> => {
      await world.commit(tenantId, USER, 3);
      await world.relay(tenantId);
    };
    reader.aroundPosition = more;
    reader.afterPage = more;
    const heard = collect(await feed.subscribe(own(tenantId), 0));
    await expect.poll(() => reader.pageCount).toBeGreaterThanOrEqual(13);
    await pause(QUIET_MS);
    reader.aroundPosition = async () => Promise.resolve();
    reader.afterPage = async () => Promise.resolve();
    await more();
    const { lastSeq } = await reader.position(tenantId);
    await expect.poll(() => heard.seqs.at(-1)).toBe(lastSeq);
    expect(heard.seqs).toEqual(span(1, lastSeq));
  });

  it('X.1 gives what was handed on before it was live, and not yet noted', async () => {
    const tenantId = newTenant();
    const { feed } = world.newProcess();
    await world.commit(tenantId, USER, 4);
    await world.relay(tenantId);
    await world.commit(tenantId, USER, 3);
    const events = await world.number(tenantId);
    // The relay dies behind this, or is only slow: nobody listens yet, and nothing says that it was done.
    await world.publish(events);
    const heard = collect(await feed.subscribe(own(tenantId), 2));
    await expect.poll(() => heard.seqs).toEqual([3, 4]);
    await pause(QUIET_MS);
    expect(heard.seqs, 'its handlers may not have run').toEqual([3, 4]);
    await world.mark(events);
    await expect.poll(() => heard.seqs).toEqual(span(3, 7));
  });

  it('X.1 gives an event once when the next relay publishes it again', async () => {
    const tenantId = newTenant();
    const { feed } = world.newProcess();
    const heard = collect(await feed.subscribe(own(tenantId), 0));
    await world.commit(tenantId, USER, 3);
    const events = await world.number(tenantId);
    await world.publish(events);
    await expect.poll(() => heard.seqs).toEqual([1, 2, 3]);
    await world.commit(tenantId, USER, 2);
    const further = await world.number(tenantId);
    await world.publish([...events, ...further]);
    await world.mark(further);
    await world.publish(events);
    await expect.poll(() => heard.seqs.length).toBeGreaterThanOrEqual(5);
    await pause(QUIET_MS);
    expect(heard.seqs).toEqual(span(1, 5));
  });

  it('X.1 gives an event once when a relay crashes before it has published, or noted, what it numbered', async () => {
    const tenantId = newTenant();
    const { feed } = world.newProcess();
    const live = collect(await feed.subscribe(own(tenantId)));
    await world.commit(tenantId, USER, 3);
    const handedOn = await world.number(tenantId);
    await world.publish(handedOn);
    await world.commit(tenantId, USER, 3);
    await world.number(tenantId);
    const behind = collect(await feed.subscribe(own(tenantId), 0));
    await expect.poll(() => live.seqs).toEqual(span(1, 3));
    const next = new OutboxRelay({ orm: world.orm, log, publish: world.publish });
    next.start();
    await world.commit(tenantId, USER, 2);
    await expect.poll(() => [live.seqs.length, behind.seqs.length]).toEqual([8, 8]);
    await next.stop();
    await pause(QUIET_MS);
    expect([live.seqs, behind.seqs]).toEqual([span(1, 8), span(1, 8)]);
  });

  it('X.1 reads on from the table when more comes than it can hold, and stays in order', async () => {
    const tenantId = newTenant();
    const { feed, reader } = world.newProcess();
    await world.commit(tenantId, USER, 600);
    await world.relay(tenantId);
    let flooded = false;
    reader.afterPage = async () => {
      if (flooded) return;
      flooded = true;
      await world.commit(tenantId, USER, 2600);
      await world.relay(tenantId);
    };
    const heard = collect(await feed.subscribe(own(tenantId), 0));
    await expect.poll(() => heard.seqs.length, { timeout: 10_000 }).toBe(3200);
    await world.commit(tenantId, USER, 1);
    await world.relay(tenantId);
    await expect.poll(() => heard.seqs.length).toBe(3201);
    expect(heard.seqs).toEqual(span(1, 3201));
  });
});

describe('a cursor from which nobody can be served', () => {
  it('X.1 is refused when it lies after the last event', async () => {
    const tenantId = newTenant();
    const { feed } = world.newProcess();
    await expect(feed.subscribe(own(tenantId), 1)).rejects.toMatchObject({ code: 'CURSOR_UNKNOWN' });
    await world.commit(tenantId, USER, 3);
    await world.relay(tenantId);
    await expect(feed.subscribe(own(tenantId), 4)).rejects.toMatchObject({ code: 'CURSOR_UNKNOWN' });
    await expect(feed.subscribe(own(tenantId), 3)).resolves.toBeDefined();
  });

  it('X.1 is refused when an event after it is deleted, and only then', async () => {
    const tenantId = newTenant();
    const { feed } = world.newProcess();
    await world.commit(tenantId, USER, 20);
    await world.relay(tenantId);
    await world.forget(tenantId, 10);
    const kept = collect(await feed.subscribe(own(tenantId), 10));
    const gone = collect(await feed.subscribe(own(tenantId), 9));
    await expect.poll(() => kept.seqs).toEqual(span(11, 20));
    await expect.poll(() => gone.error?.code).toBe('CURSOR_EXPIRED');
    expect(gone.seqs).toEqual([]);
  });

  it('X.1 is refused when the backlog is too long to be read again', async () => {
    const tenantId = newTenant();
    const { feed, reader } = world.newProcess();
    const sql = 'insert into outbox_counter (tenant_id, last_seq, published_seq) values (?, 200000, 200000)';
    await world.orm.em.fork().getConnection().execute(sql, [tenantId]);
    await expect(feed.subscribe(own(tenantId), 99_999)).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' });
    expect(reader.pageCount).toBe(0);
  });
});

describe('a subscription whose connection to Redis was away', () => {
  it.each([
    ['a user', USER],
    ['staff', null],
  ])('X.1 I7 gives %s what was published meanwhile, once and in order', async (_who, userId) => {
    const tenantId = newTenant();
    const { feed, listener, redis } = world.newProcess();
    const heard = collect(await feed.subscribe(own(tenantId, userId)));
    await world.commit(tenantId, USER, 3);
    await world.relay(tenantId);
    await expect.poll(() => heard.seqs).toEqual([1, 2, 3]);
    for (let round = 0; round < 3; round += 1) {
      await killListener(redis, listener);
      await world.commit(tenantId, USER, 3);
      await world.relay(tenantId);
      await expect.poll(() => heard.seqs.at(-1), { timeout: 5000 }).toBe(6 + 3 * round);
    }
    expect(heard.seqs).toEqual(span(1, 12));
  });

  it('X.1 I7 misses nothing and repeats nothing, however often it is cut under load', async () => {
    const tenantId = newTenant();
    const { feed, listener, redis } = world.newProcess();
    const heard = collect(await feed.subscribe(own(tenantId)));
    let count = 0;
    for (let round = 0; round < 60; round += 1) {
      await world.commit(tenantId, USER, 7);
      count += 7;
      if (round % 6 === 3 && listener.status === 'ready') void killListener(redis, listener);
      await world.relay(tenantId);
    }
    await expect.poll(() => heard.seqs.at(-1), { timeout: 10_000 }).toBe(count);
    expect(heard.seqs).toEqual(span(1, count));
  });

  it('X.1 I7 reads only when it is heard again, so that nothing slips in between', async () => {
    const tenantId = newTenant();
    const { feed, listener, reader } = world.newProcess();
    await world.commit(tenantId, USER, 1);
    await world.relay(tenantId);
    reader.afterPage = async () => {
      if (reader.pageCount > 1) return;
      listener.disconnect();
      await once(listener, 'end');
    };
    const heard = collect(await feed.subscribe(own(tenantId), 0));
    await expect.poll(() => heard.seqs).toEqual([1]);
    await pause(QUIET_MS);
    await world.commit(tenantId, USER, 4);
    await world.relay(tenantId);
    await listener.connect();
    await expect.poll(() => heard.seqs).toEqual(span(1, 5));
  });

  it("X.1 I7 reads from where the tenant was, not from the user's own last event", async () => {
    const tenantId = newTenant();
    const { feed, listener, redis, reader } = world.newProcess({ advanceEveryMs: 50 });
    const heard = collect(await feed.subscribe(own(tenantId)));
    await world.commit(tenantId, OTHER, 5000);
    await world.relay(tenantId);
    await pause(QUIET_MS);
    await killListener(redis, listener);
    await world.commit(tenantId, USER, 1);
    await world.relay(tenantId);
    await expect.poll(() => heard.seqs, { timeout: 5000 }).toEqual([5001]);
    expect(reader.pageCount).toBe(1);
  });

  it('X.1 I7 goes on when the database is away for a moment, and ends with an error when it stays away', async () => {
    const tenantId = newTenant();
    const { feed, listener, redis, reader } = world.newProcess();
    const heard = collect(await feed.subscribe(own(tenantId)));
    let failures = 0;
    const failing = (until: number) => async (): Promise<void> => {
      failures += 1;
      if (failures <= until) throw new StoreUnavailableError('database');
      return Promise.resolve();
    };
    reader.aroundPosition = failing(3);
    await killListener(redis, listener);
    await world.commit(tenantId, USER, 2);
    await world.relay(tenantId);
    await expect.poll(() => heard.seqs, { timeout: 5000 }).toEqual([1, 2]);
    expect(failures).toBeGreaterThan(3);
    reader.aroundPosition = failing(Number.POSITIVE_INFINITY);
    await killListener(redis, listener);
    await expect
      .poll(() => heard.error, { timeout: 10_000 })
      .toMatchObject({ name: 'StoreUnavailableError' });
    expect(heard.seqs).toEqual([1, 2]);
  });
});

describe('a subscription', () => {
  it('lets its subscriber leave at once, whatever it waits for, and leaves the channel', async () => {
    const tenantId = newTenant();
    const { feed, redis } = world.newProcess();
    const channel = `{${tenantId}}:events:user:${USER}`;
    const live = await feed.subscribe(own(tenantId));
    const waiting = live.next();
    await live.return();
    await expect(waiting).resolves.toEqual({ value: undefined, done: true });
    await expect(live.next()).resolves.toEqual({ value: undefined, done: true });
    await world.commit(tenantId, USER, 1);
    await world.number(tenantId);
    const behind = await feed.subscribe(own(tenantId), 0);
    const looking = behind.next();
    await pause(20);
    await behind.return();
    await expect(looking).resolves.toEqual({ value: undefined, done: true });
    await expect.poll(async () => redis.pubsub('NUMSUB', channel)).toEqual([channel, 0]);
  });

  it('holds a bounded number of events for a subscriber that does not take them, and loses none', async () => {
    const tenantId = newTenant();
    const { feed } = world.newProcess();
    const slow = await feed.subscribe(own(tenantId));
    const first = slow.next();
    await world.commit(tenantId, USER, 1);
    await world.relay(tenantId);
    expect((await first).value?.seq).toBe(1);
    await world.commit(tenantId, USER, 2499);
    await world.relay(tenantId);
    await pause(QUIET_MS);
    const held = slow as unknown as { due: unknown[]; held: unknown[] | null };
    expect(held.due.length + (held.held?.length ?? 0)).toBeLessThanOrEqual(2000);
    expect(held.due.length).toBe(1000);
    const heard = collect(slow);
    await expect.poll(() => heard.seqs.length).toBe(2499);
    expect(heard.seqs).toEqual(span(2, 2500));
  });
});
