import { afterEach, expect, inject, it, vi } from 'vitest';
import type { MikroORM } from '@mikro-orm/core';
import { migrations } from '../../src/migrations/index.js';
import { connectOrm, systemEm } from '../../src/platform/database/orm.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { createEmptyDatabase } from '../support/scratch-database.js';

const NAME = 'Migration20261128800001_number_events_in_their_transactions';
const BEFORE = migrations[migrations.findIndex(({ name }) => name === NAME) - 1]?.name ?? '';

let orm: MikroORM;
openBeforeAll(async (closing) => {
  const database = await closing(createEmptyDatabase(inject('databaseUrl')));
  orm = await closing(connectOrm({ ...database, poolSize: 2, entities: [], migrations }));
  await orm.migrator.up({ to: BEFORE });
});
afterEach(async () => {
  const executed = await orm.migrator.getExecuted();
  if (executed.some(({ name }) => name === NAME)) await orm.migrator.down({ to: BEFORE });
  await emptied();
});

/** Ids of about now, which grow with their numbers and do not fit into a number of JavaScript. */
const idOf = (n: number): string => String(383_000_000_000_000_000n + BigInt(n) * 5_000_000_000n);

async function sql<Row>(text: string, params: readonly unknown[] = []): Promise<Row[]> {
  return systemEm(orm).execute(text, [...params]);
}

type OldEvent = readonly [id: number, seq: number | null, type: string, payload: object];

/** As the version before has left them: T1 is published but for its last ones, T2 was never numbered, T3 is done. */
const OLD: Readonly<Record<string, { events: readonly OldEvent[]; counter?: readonly [number, number] }>> = {
  T1: {
    events: [
      [3, 5, 'campaign_changed', { campaignId: '1' }],
      [1, 6, 'redemption_settled', { redemptionId: '4711', status: 'COMMITTED' }],
      [2, 7, 'subscription_invalidated', { redemptionId: '4711', rewardNo: 0 }],
      [9, null, 'code_changed', { codeId: '2' }],
      [8, null, 'redemption_settled', { redemptionId: '4712', status: 'REFUSED' }],
    ],
    counter: [7, 6],
  },
  T2: {
    events: [
      [2, null, 'code_changed', {}],
      [1, null, 'code_changed', {}],
    ],
  },
  T3: { events: [[1, 1, 'code_changed', {}]], counter: [1, 1] },
};

async function seedOld(): Promise<void> {
  for (const [tenantId, { events, counter }] of Object.entries(OLD)) {
    for (const [id, seq, type, payload] of events)
      await sql(
        `insert into outbox_event (tenant_id, id, type, user_id, payload, seq, created_at)
          values (?, ?, ?, 12, ?, ?, '2026-11-28 10:00:00.123')`,
        [tenantId, idOf(id), type, JSON.stringify(payload), seq],
      );
    if (counter !== undefined)
      await sql('insert into outbox_counter (tenant_id, last_seq, published_seq) values (?, ?, ?)', [
        tenantId,
        ...counter,
      ]);
  }
}

async function emptied(): Promise<void> {
  await sql('delete from outbox_event');
  await sql('delete from outbox_counter');
}

const stateNow = async () => ({
  events: await sql(`select tenant_id as tenantId, seq, json_value(payload, '$.eventId') as eventId, type,
    cast(subject_id as char) as subject from outbox_event order by tenant_id, seq`),
  counters: await sql('select tenant_id as tenantId, last_seq as last from outbox_counter order by 1'),
  cursors: await sql('select tenant_id as tenantId, consumer, seq from event_consumer order by 1, 2'),
});

const event = (tenantId: string, seq: number, id: number, type: string, subject: string | null = null) => ({
  tenantId,
  seq,
  eventId: idOf(id),
  type,
  subject,
});
const cursorsOf = (tenantId: string, seq: number) =>
  ['code_copies', 'late_confirms', 'subscription_cache'].map((consumer) => ({ tenantId, consumer, seq }));

/** Unnumbered events get the next numbers, in the order of their ids; consumers resume where publication was. */
const NEW = {
  events: [
    event('T1', 5, 3, 'campaign_changed', '1'),
    event('T1', 6, 1, 'redemption_settled', '4711'),
    event('T1', 7, 2, 'subscription_invalidated'),
    event('T1', 8, 8, 'redemption_settled', '4712'),
    event('T1', 9, 9, 'code_changed'),
    event('T2', 1, 1, 'code_changed'),
    event('T2', 2, 2, 'code_changed'),
    event('T3', 1, 1, 'code_changed'),
  ],
  counters: [
    { tenantId: 'T1', last: 9 },
    { tenantId: 'T2', last: 2 },
    { tenantId: 'T3', last: 1 },
  ],
  cursors: [...cursorsOf('T1', 6), ...cursorsOf('T2', 0), ...cursorsOf('T3', 1)],
};

/** Ends the run behind its nth statement that writes. */
async function endedAfter(count: number, run: () => Promise<unknown>): Promise<boolean> {
  let left = count;
  const logger = orm.config.getLogger();
  const spy = vi.spyOn(logger, 'logQuery').mockImplementation(({ query = '' }) => {
    if (!/^\s*(alter|create|drop|update|insert) /i.test(query) || query.includes('schema_migration')) return;
    left -= 1;
    if (left === 0) throw new Error('The process died.');
  });
  try {
    await run();
    return false;
  } catch (error) {
    if (!String(error).includes('The process died.')) throw error;
    return true;
  } finally {
    spy.mockRestore();
  }
}

it('numbers what waits, keeps what clients know events by, and begins the consumers where publication was, also when its run was ended behind any statement', async () => {
  await seedOld();
  for (let cut = 1; await endedAfter(cut, async () => orm.migrator.up({ to: NAME })); cut += 1) {
    await orm.migrator.up({ to: NAME });
    expect(await stateNow(), `ended behind statement ${cut}`).toEqual(NEW);
    await orm.migrator.down({ to: BEFORE });
    await emptied();
    await seedOld();
    expect(cut).toBeLessThan(30);
  }
  expect(await stateNow(), 'not ended').toEqual(NEW);
}, 120_000);

it('is taken back, also when that run was ended: ids are those from before, or follow the numbers', async () => {
  await seedOld();
  await orm.migrator.up({ to: NAME });
  await sql(`insert into outbox_event (tenant_id, seq, type, payload, created_at) values
    ('T1', 10, 'code_changed', '{}', '2026-11-28 11:00:00.001'), ('T1', 11, 'code_changed', '{}', '2026-11-28 11:00:00.001')`);
  await sql(`update outbox_counter set last_seq = 11 where tenant_id = 'T1'`);
  await sql(`update event_consumer set seq = 10 where tenant_id = 'T1'`);
  await sql(`update event_consumer set seq = 8 where tenant_id = 'T1' and consumer = 'late_confirms'`);
  for (let cut = 1; await endedAfter(cut, async () => orm.migrator.down({ to: BEFORE })); cut += 1) {
    await orm.migrator.down({ to: BEFORE });
    const rows = await sql<{ id: string; seq: number }>(
      `select cast(id as char) as id, seq from outbox_event where tenant_id = 'T1' order by outbox_event.id`,
    );
    expect(rows.slice(0, 5).map(({ id, seq }) => [id, seq])).toEqual([
      [idOf(1), 6],
      [idOf(2), 7],
      [idOf(3), 5],
      [idOf(8), 8],
      [idOf(9), 9],
    ]);
    expect(rows.slice(5).map(({ seq }) => seq)).toEqual([10, 11]);
    expect(
      await sql(
        `select last_seq as last, published_seq as published from outbox_counter where tenant_id = 'T1'`,
      ),
    ).toEqual([{ last: 11, published: 8 }]);
    await orm.migrator.up({ to: NAME });
    expect(cut).toBeLessThan(30);
  }
}, 120_000);
