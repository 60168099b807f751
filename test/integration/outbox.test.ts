import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { MikroORM } from '@mikro-orm/core';
import { describe, expect, it, vi } from 'vitest';
import { entities } from '../../src/app/modules.js';
import { systemClock } from '../../src/platform/clock.js';
import { connectOrm, systemEm, tenantEm } from '../../src/platform/database/orm.js';
import { Transactions } from '../../src/platform/database/transaction.js';
import { Outbox } from '../../src/platform/outbox/outbox.js';
import { ConsumerCursor, OutboxCounter, OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import { newTenant, openFeedWorld, span, type FeedWorld } from '../support/feed-world.js';
import { openBeforeAll } from '../support/open-before-all.js';

let world: FeedWorld;
/** A message of its connections may hold several statements, as a commit's. */
let commitOrm: MikroORM;
const rung: [tenantId: string, seq: number][] = [];
const outbox = new Outbox(systemClock, (tenantId, seq) => void rung.push([tenantId, seq]));
const draft = (type: string) => ({ type, userId: null, payload: {} });

openBeforeAll(async (closing) => {
  world = await closing(openFeedWorld());
  const { databaseUrl } = world;
  commitOrm = await closing(connectOrm({ databaseUrl, poolSize: 6, severalStatements: true, entities }));
});

async function eventsOf(tenantId: string): Promise<OutboxEvent[]> {
  return tenantEm(world.orm, tenantId).find(OutboxEvent, {}, { orderBy: { seq: 'asc' } });
}

async function lastSeqOf(tenantId: string): Promise<number> {
  return (await tenantEm(world.orm, tenantId).findOneOrFail(OutboxCounter, {})).lastSeq;
}

describe('the numbers of events', () => {
  it('I7 have no gaps and follow the order of the commits, at every moment, with 8 writers at once', async () => {
    const tenants = [newTenant(), newTenant()] as const;
    const over = new AbortController();
    const looks: { readonly from: number; readonly seqs: number[] }[] = [];
    const watch = async (tenantId: string): Promise<void> => {
      for (let last = 0; !over.signal.aborted;) {
        const rows = await systemEm(world.orm).execute<{ seq: number }[]>(
          'select seq from outbox_event where tenant_id = ? and seq > ? order by seq',
          [tenantId, last],
        );
        looks.push({ from: last + 1, seqs: rows.map(({ seq }) => seq) });
        last = rows.at(-1)?.seq ?? last;
      }
    };
    const watching = Promise.all(tenants.map(watch));
    const writer = async (at: number): Promise<void> => {
      const transactions = new Transactions(at % 2 === 0 ? world.orm : commitOrm);
      for (let round = 0; round < 25; round += 1) {
        const tenantId = tenants[round % 2] ?? tenants[0];
        const writing = transactions.run(tenantId, async (em) => {
          outbox.append(em, tenantId, [draft('a'), draft('b')]);
          await pause(randomInt(5));
          outbox.append(em, tenantId, [draft('c')]);
          if (round % 5 !== 4) return;
          await outbox.flush(em);
          throw new Error('This one is rolled back.');
        });
        await writing.catch(() => undefined);
      }
    };
    await Promise.all(span(1, 8).map(writer));
    over.abort();
    await watching;
    expect(looks.length).toBeGreaterThan(20);
    // Each look finds all behind the one before it: nothing is committed later with a lower number.
    for (const { from, seqs } of looks) expect(seqs).toEqual(span(from, from + seqs.length - 1));
    for (const tenantId of tenants) {
      const events = await eventsOf(tenantId);
      expect(events.map(({ seq }) => seq)).toEqual(span(1, events.length));
      expect(await lastSeqOf(tenantId)).toBe(events.length);
      // A transaction's events are adjacent, in the order in which they were appended.
      expect(events.map(({ type }) => type).join('')).toBe('abc'.repeat(events.length / 3));
    }
    const count = (await Promise.all(tenants.map(eventsOf))).flat().length;
    expect(count).toBe(8 * 20 * 3);
  });

  it('begin at 1 for a new tenant, whichever of its first writers comes first', async () => {
    const tenantId = newTenant();
    const append = async () =>
      world.transactions.run(tenantId, async (em) => {
        outbox.append(em, tenantId, [draft('a')]);
        return Promise.resolve();
      });
    await Promise.all(span(1, 8).map(append));
    expect((await eventsOf(tenantId)).map(({ seq }) => seq)).toEqual(span(1, 8));
  });
});

describe('a transaction that writes events', () => {
  it('takes the counter as its last lock, however early it appends them', async () => {
    const tenantId = newTenant();
    await world.commit(tenantId, null, 1);
    const retries: unknown[] = [];
    const transactions = new Transactions(world.orm, { onRetry: (error) => retries.push(error) });
    const lock = 'select * from outbox_event where tenant_id = ? and seq = 1 for update';
    const first = async (): Promise<void> =>
      transactions.run(tenantId, async (em) => {
        outbox.append(em, tenantId, [draft('early')]);
        await pause(5);
        await em.execute(lock, [tenantId]);
      });
    const second = async (): Promise<void> =>
      transactions.run(tenantId, async (em) => {
        await em.execute(lock, [tenantId]);
        await pause(5);
        outbox.append(em, tenantId, [draft('late')]);
      });
    await Promise.all(span(1, 6).flatMap(() => [first(), second()]));
    expect(retries).toEqual([]);
    expect(await lastSeqOf(tenantId)).toBe(13);
  });

  it('writes changed entities before it takes the counter', async () => {
    const tenantId = newTenant();
    await world.commit(tenantId, null, 1);
    const statements: string[] = [];
    const logger = world.orm.config.getLogger();
    const spy = vi.spyOn(logger, 'logQuery').mockImplementation(({ query = '' }) => {
      statements.push(query);
    });
    await world.transactions.run(tenantId, async (em) => {
      outbox.append(em, tenantId, [draft('early')]);
      em.create(ConsumerCursor, { tenantId, consumer: 'changed', seq: 0 });
      return Promise.resolve();
    });
    spy.mockRestore();
    const order = statements.map((text) => /event_consumer|outbox_counter/.exec(text)?.[0]).filter(Boolean);
    expect(order).toEqual(['event_consumer', 'outbox_counter']);
  });

  it('rings once after its commit, with its highest number, and not at all when it fails', async () => {
    const tenantId = newTenant();
    const of = () => rung.filter(([tenant]) => tenant === tenantId);
    await world.transactions.run(tenantId, async (em) => {
      outbox.append(em, tenantId, [draft('a'), draft('b')]);
      await outbox.flush(em);
      outbox.append(em, tenantId, [draft('c')]);
      expect(of()).toEqual([]);
    });
    const failing = world.transactions.run(tenantId, async (em) => {
      outbox.append(em, tenantId, [draft('d')]);
      return Promise.reject(new Error('no'));
    });
    await expect(failing).rejects.toThrow('no');
    expect(of()).toEqual([[tenantId, 3]]);
    expect((await eventsOf(tenantId)).map(({ type }) => type)).toEqual(['a', 'b', 'c']);
  });

  it('is one of Transactions: nothing else writes appended events', () => {
    const em = tenantEm(world.orm, 'T_1');
    expect(() => outbox.append(em, 'T_1', [draft('a')])).toThrow('unit of work');
  });
});
