import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StoreUnavailableError } from '../../src/platform/errors.js';
import { collect, newTenant, openFeedWorld, SETTLED, span, type FeedWorld } from '../support/feed-world.js';
import { killListener } from '../support/redis-connections.js';

const USER = '17';
const OTHER = '18';

let world: FeedWorld;
beforeAll(async () => {
  world = await openFeedWorld();
});
afterAll(async () => {
  await world?.close();
});

const own = (tenantId: string, userId: string | null = USER) => ({ tenantId, types: [SETTLED], userId });

/** Some time in which nothing more may come. */
const QUIET_MS = 150;

describe('a subscription with a cursor', () => {
  it('X.1 gives the missed events, then live ones, each once and in order', async () => {
    const tenantId = newTenant();
    const { feed } = await world.newProcess();
    await world.commit(tenantId, USER, 1300);
    const heard = collect(await feed.subscribe(own(tenantId), 7));
    await expect.poll(() => heard.seqs.length).toBe(1293);
    await world.commit(tenantId, USER, 5);
    await expect.poll(() => heard.seqs.length).toBe(1298);
    expect(heard.seqs).toEqual(span(8, 1305));
  });

  it('X.1 gives a user their own events, staff all of the tenant, and no one those of another tenant', async () => {
    const [tenantId, foreign] = [newTenant(), newTenant()];
    const { feed } = await world.newProcess();
    for (const tenant of [tenantId, foreign]) {
      for (const user of [USER, OTHER, USER]) await world.commit(tenant, user, 2);
      await world.commit(tenant, USER, 1, 'subscription_invalidated');
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
    }
    const lengths = () => [heard.user, heard.other, heard.staff].map(({ seqs }) => seqs.length);
    await expect.poll(lengths).toEqual([5, 3, 8]);
    await pause(QUIET_MS);
    expect(heard.user.seqs).toEqual([1, 2, 5, 6, 10]);
    expect(heard.other.seqs).toEqual([3, 4, 8]);
    expect(heard.staff.seqs).toEqual([1, 2, 3, 4, 5, 6, 8, 10]);
  });

  it('X.1 misses nothing that is committed before it looks, while it reads, and between pages', async () => {
    const tenantId = newTenant();
    const { feed, eventLog } = await world.newProcess();
    await world.commit(tenantId, USER, 1200);
    let rounds = 0;
    const more = async (): Promise<void> => {
      rounds += 1;
      if (rounds <= 40) await world.commit(tenantId, USER, 3);
    };
    eventLog.beforeLook = more;
    eventLog.afterLook = more;
    eventLog.afterPage = more;
    const heard = collect(await feed.subscribe(own(tenantId), 0));
    await expect.poll(() => rounds, { timeout: 60_000 }).toBeGreaterThan(40);
    const last = 1200 + 3 * 40;
    await expect.poll(() => heard.seqs.at(-1)).toBe(last);
    expect(heard.seqs).toEqual(span(1, last));
  });

  it('X.1 gives nothing of a transaction that is not committed, and what was committed before it at once', async () => {
    const tenantId = newTenant();
    const { feed } = await world.newProcess();
    await world.commit(tenantId, USER, 2);
    const heard = collect(await feed.subscribe(own(tenantId), 0));
    await expect.poll(() => heard.seqs).toEqual([1, 2]);
    const written = Promise.withResolvers<void>();
    const mayCommit = Promise.withResolvers<void>();
    const slow = world.transactions.run(tenantId, async (em) => {
      world.outbox.append(em, tenantId, [{ type: SETTLED, userId: USER, payload: {} }]);
      await world.outbox.flush(em);
      written.resolve();
      await mayCommit.promise;
    });
    await written.promise;
    const behind = world.commit(tenantId, USER, 1);
    await pause(QUIET_MS);
    expect(heard.seqs).toEqual([1, 2]);
    mayCommit.resolve();
    await Promise.all([slow, behind]);
    await expect.poll(() => heard.seqs).toEqual(span(1, 4));
  });

  it('X.1 gives an event once, however often and in whatever order the doorbell rings', async () => {
    const tenantId = newTenant();
    const { feed } = await world.newProcess();
    const heard = collect(await feed.subscribe(own(tenantId), 0));
    for (let round = 1; round <= 20; round += 1) {
      await world.commit(tenantId, USER, 3);
      for (const seq of [1, 3 * round, 2, 3 * round]) feed.heard(tenantId, seq);
    }
    await expect.poll(() => heard.seqs.length).toBeGreaterThanOrEqual(60);
    await pause(QUIET_MS);
    expect(heard.seqs).toEqual(span(1, 60));
  });

  it('X.1 reads from the table when more events come than it can hold, and stays in order', async () => {
    const tenantId = newTenant();
    const { feed, eventLog } = await world.newProcess();
    await world.commit(tenantId, USER, 600);
    let flooded = false;
    eventLog.afterPage = async () => {
      if (flooded) return;
      flooded = true;
      await world.commit(tenantId, USER, 2600);
    };
    const heard = collect(await feed.subscribe(own(tenantId), 0));
    await expect.poll(() => heard.seqs.length, { timeout: 60_000 }).toBe(3200);
    await world.commit(tenantId, USER, 1);
    await expect.poll(() => heard.seqs.length).toBe(3201);
    expect(heard.seqs).toEqual(span(1, 3201));
  });
});

describe('a cursor that cannot be served', () => {
  it('X.1 is refused when it lies after the last event', async () => {
    const tenantId = newTenant();
    const { feed } = await world.newProcess();
    await expect(feed.subscribe(own(tenantId), 1)).rejects.toMatchObject({ code: 'CURSOR_UNKNOWN' });
    await world.commit(tenantId, USER, 3);
    await expect(feed.subscribe(own(tenantId), 4)).rejects.toMatchObject({ code: 'CURSOR_UNKNOWN' });
    await expect(feed.subscribe(own(tenantId), 3)).resolves.toBeDefined();
  });

  it('X.1 is refused when an event after it is deleted, and only then', async () => {
    const tenantId = newTenant();
    const { feed } = await world.newProcess();
    await world.commit(tenantId, USER, 20);
    await world.forget(tenantId, 10);
    const kept = collect(await feed.subscribe(own(tenantId), 10));
    const gone = collect(await feed.subscribe(own(tenantId), 9));
    await expect.poll(() => kept.seqs).toEqual(span(11, 20));
    await expect.poll(() => gone.error?.code).toBe('CURSOR_EXPIRED');
    expect(gone.seqs).toEqual([]);
  });

  it('X.1 is refused when the backlog is too long to be read again', async () => {
    const tenantId = newTenant();
    const { feed, eventLog } = await world.newProcess();
    const sql = 'insert into outbox_counter (tenant_id, last_seq) values (?, 200000)';
    await world.orm.em.fork().getConnection().execute(sql, [tenantId]);
    await expect(feed.subscribe(own(tenantId), 99_999)).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' });
    expect(eventLog.pageCount).toBe(0);
  });

  it('X.1 ends a live subscription, too, when events were deleted before they were read', async () => {
    const tenantId = newTenant();
    const { feed } = await world.newProcess();
    const heard = collect(await feed.subscribe(own(tenantId)));
    await pause(QUIET_MS);
    await world.commitSilently(tenantId, USER, 2);
    await world.forget(tenantId, 1);
    await expect.poll(() => heard.error?.code, { timeout: 15_000 }).toBe('CURSOR_EXPIRED');
  });
});

describe('a subscription that is not told', () => {
  it.each([
    ['a user', USER],
    ['staff', null],
  ])('X.1 I7 gives %s what was committed meanwhile, within about a second', async (_who, userId) => {
    const tenantId = newTenant();
    const { feed } = await world.newProcess();
    const heard = collect(await feed.subscribe(own(tenantId, userId)));
    await world.commit(tenantId, USER, 3);
    await expect.poll(() => heard.seqs).toEqual([1, 2, 3]);
    for (let round = 1; round <= 2; round += 1) {
      await world.commitSilently(tenantId, USER, 3);
      await expect.poll(() => heard.seqs.at(-1), { timeout: 10_000 }).toBe(3 + 3 * round);
    }
    expect(heard.seqs).toEqual(span(1, 9));
  });

  it('X.1 I7 misses nothing and repeats nothing, however often its connection to Redis is cut under load', async () => {
    const tenantId = newTenant();
    const { feed, listener, redis } = await world.newProcess();
    const heard = collect(await feed.subscribe(own(tenantId)));
    for (let round = 0; round < 60; round += 1) {
      await world.commit(tenantId, USER, 7);
      if (round % 6 === 3 && listener.status === 'ready') void killListener(redis, listener);
    }
    await expect.poll(() => heard.seqs.at(-1), { timeout: 60_000 }).toBe(420);
    expect(heard.seqs).toEqual(span(1, 420));
  });

  it('X.1 I7 needs no Redis at all', async () => {
    const tenantId = newTenant();
    const { feed, listener, redis } = await world.newProcess();
    listener.disconnect();
    redis.disconnect();
    const heard = collect(await feed.subscribe(own(tenantId)));
    await world.commit(tenantId, USER, 4);
    await expect.poll(() => heard.seqs, { timeout: 10_000 }).toEqual(span(1, 4));
  });

  it('X.1 I7 is given what two looks have shown: one alone may see a commit that is not on disk yet', async () => {
    const tenantId = newTenant();
    const { feed, eventLog } = await world.newProcess({ pollEveryMs: 100 });
    const heard = collect(await feed.subscribe(own(tenantId)));
    let looks = 0;
    const looksBefore: number[] = [];
    eventLog.afterLook = async () => Promise.resolve(void (looks += 1));
    eventLog.afterPage = async () => Promise.resolve(void looksBefore.push(looks));
    await world.commitSilently(tenantId, USER, 1);
    await expect.poll(() => heard.seqs).toEqual([1]);
    expect(looksBefore[0]).toBeGreaterThanOrEqual(2);
  });

  it('X.1 I7 continues after an outage of the database', async () => {
    const tenantId = newTenant();
    const { feed, eventLog } = await world.newProcess({ pollEveryMs: 50 });
    const live = collect(await feed.subscribe(own(tenantId)));
    await world.commit(tenantId, USER, 1);
    await expect.poll(() => live.seqs).toEqual([1]);
    let failures = 0;
    eventLog.beforeLook = async () => {
      failures += 1;
      if (failures <= 3) throw new StoreUnavailableError('database');
      return Promise.resolve();
    };
    eventLog.afterPage = async () => {
      failures += 1;
      if (failures <= 6) throw new StoreUnavailableError('database');
      return Promise.resolve();
    };
    await world.commitSilently(tenantId, USER, 2);
    await expect.poll(() => live.seqs, { timeout: 25_000 }).toEqual([1, 2, 3]);
    expect(failures).toBeGreaterThan(6);
  });

  it('X.1 I7 ends with an error while it catches up and the database stays away', async () => {
    const tenantId = newTenant();
    const { feed, eventLog } = await world.newProcess();
    await world.commit(tenantId, USER, 2);
    eventLog.afterPage = async () => Promise.reject(new StoreUnavailableError('database'));
    const behind = collect(await feed.subscribe(own(tenantId), 0));
    await expect
      .poll(() => behind.error, { timeout: 60_000 })
      .toMatchObject({ name: 'StoreUnavailableError' });
    expect(behind.seqs).toEqual([]);
  });
});

describe('the subscribers of a process', () => {
  it('share the reading of new events for all users', async () => {
    const tenantId = newTenant();
    const { feed, eventLog } = await world.newProcess({ pollEveryMs: 60_000 });
    const users = Array.from({ length: 50 }, (_, at) => String(100 + at));
    const heard = await Promise.all(
      [...users, null].map(async (user) => collect(await feed.subscribe(own(tenantId, user)))),
    );
    await pause(QUIET_MS);
    for (const user of users) await world.commit(tenantId, user, 1);
    await expect.poll(() => heard.at(-1)?.seqs.length).toBe(50);
    expect(heard.slice(0, 50).map(({ seqs }) => seqs)).toEqual(users.map((_, at) => [at + 1]));
    expect(eventLog.pageCount).toBeLessThanOrEqual(50);
  });

  it('are given an event only when a consumer that comes before has handled it, or has failed', async () => {
    const tenantId = newTenant();
    const { feed } = await world.newProcess();
    const steps: string[] = [];
    const consumer = (name: string, isBeforePush: boolean, types = [SETTLED]) => ({
      name,
      types,
      isBeforePush,
      handle: async (_tenantId: string, events: readonly { readonly seq: number }[]) => {
        await pause(30);
        steps.push(...events.map(({ seq }) => `${name} ${seq}`));
        if (steps.length === 1) throw new Error('Redis is away');
      },
    });
    feed.prepareWith([consumer('first', true), consumer('later', false), consumer('none', true, ['other'])]);
    const live = await feed.subscribe(own(tenantId));
    for (let seq = 1; seq <= 2; seq += 1) {
      const next = live.next();
      await world.commit(tenantId, OTHER, 1);
      await world.commit(tenantId, USER, 1);
      steps.push(`given ${(await next).value?.seq}`);
    }
    const behind = await feed.subscribe(own(tenantId), 3);
    steps.push(`given ${(await behind.next()).value?.seq}`);
    for (const seq of [2, 4])
      expect(steps.indexOf(`first ${seq}`)).toBeLessThan(steps.indexOf(`given ${seq}`));
    expect(steps.filter((step) => step === 'first 4')).toHaveLength(2);
    expect(steps.join()).not.toMatch(/later|none/);
  });

  it('X.19 are not held up by the read of another tenant that takes long', async () => {
    const [slow, quick] = [newTenant(), newTenant()];
    const { feed } = await world.newProcess();
    const held = Promise.withResolvers<void>();
    const handle = async (tenantId: string): Promise<void> => (tenantId === slow ? held.promise : undefined);
    feed.prepareWith([{ name: 'first', types: [SETTLED], isBeforePush: true, handle }]);
    const [late, live] = [await feed.subscribe(own(slow)), await feed.subscribe(own(quick))];
    const waiting = late.next();
    await world.commit(slow, USER, 1);
    await pause(QUIET_MS);
    await world.commit(quick, USER, 1);
    expect((await live.next()).value?.seq).toBe(1);
    held.resolve();
    expect((await waiting).value?.seq).toBe(1);
  });

  it('cost nothing once they are gone: without subscribers nothing is read', async () => {
    const tenantId = newTenant();
    const { feed, eventLog } = await world.newProcess({ pollEveryMs: 20 });
    let looks = 0;
    eventLog.beforeLook = async () => {
      looks += 1;
      return Promise.resolve();
    };
    const live = await feed.subscribe(own(tenantId));
    const heard = collect(live);
    await world.commit(tenantId, USER, 1);
    await expect.poll(() => heard.seqs).toEqual([1]);
    await live.return();
    const [looksBefore, pagesBefore] = [looks, eventLog.pageCount];
    await world.commit(tenantId, USER, 5);
    await pause(QUIET_MS);
    expect([looks, eventLog.pageCount]).toEqual([looksBefore, pagesBefore]);
  });
});

describe('a subscription', () => {
  it('lets its subscriber leave at once, whatever it waits for', async () => {
    const tenantId = newTenant();
    const { feed, eventLog } = await world.newProcess();
    const live = await feed.subscribe(own(tenantId));
    const waiting = live.next();
    await live.return();
    await expect(waiting).resolves.toEqual({ value: undefined, done: true });
    await expect(live.next()).resolves.toEqual({ value: undefined, done: true });
    await world.commit(tenantId, USER, 1);
    eventLog.afterPage = async () => Promise.reject(new Error('The connection broke.'));
    const behind = await feed.subscribe(own(tenantId), 0);
    const reading = behind.next();
    await pause(20);
    await behind.return();
    await expect(reading).resolves.toEqual({ value: undefined, done: true });
  });

  it('holds a bounded number of events for a subscriber that does not take them, and loses none', async () => {
    const tenantId = newTenant();
    const { feed, eventLog } = await world.newProcess();
    const slow = await feed.subscribe(own(tenantId));
    const first = slow.next();
    await world.commit(tenantId, USER, 1);
    expect((await first).value?.seq).toBe(1);
    await world.commit(tenantId, OTHER, 5000);
    for (let round = 0; round < 5; round += 1) await world.commit(tenantId, USER, 499);
    await expect.poll(() => eventLog.pageCount).toBeGreaterThanOrEqual(12);
    await pause(QUIET_MS);
    const held = slow as unknown as { due: unknown[] };
    expect(held.due.length).toBeLessThanOrEqual(1000);
    expect(held.due.length).toBeGreaterThan(400);
    const pagesBefore = eventLog.pageCount;
    const heard = collect(slow);
    await expect.poll(() => heard.seqs.length).toBe(2495);
    expect(heard.seqs).toEqual(span(5002, 7496));
    // It reads from where it left, and not from its own last event.
    expect(eventLog.pageCount - pagesBefore).toBeLessThanOrEqual(25);
  });
});
