import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { MikroORM } from '@mikro-orm/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { entities } from '../../src/app/modules.js';
import { connectOrm, systemEm } from '../../src/platform/database/orm.js';
import { Transactions } from '../../src/platform/database/transaction.js';
import { ExclusiveWork } from '../../src/platform/leases/exclusive-work.js';
import { LeaseLostError, type Fence } from '../../src/platform/leases/fence.js';
import { LeaseRows } from '../../src/platform/leases/lease-rows.js';
import { LOOKS_BEFORE_COUNTED, PartitionLeases } from '../../src/platform/leases/partition-leases.js';
import { createLog } from '../../src/platform/observability/log.js';
import { PARTITION_TAGS, partitionOf } from '../../src/platform/partitions.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { createScratchDatabase, type ScratchDatabase } from '../support/scratch-database.js';

const LONG_MS = 60_000;
const SHORT_MS = 50;
/** Of leases that are renewed meanwhile: far longer than a busy machine delays that. */
const LEASE_MS = 4000;
const log = createLog({ level: 'silent' });

let database: ScratchDatabase;
let orm: MikroORM;
let transactions: Transactions;
openBeforeAll(async (closing) => {
  database = await closing(createScratchDatabase());
  orm = await closing(connectOrm({ databaseUrl: database.databaseUrl, poolSize: 12, entities }));
  transactions = new Transactions(orm, { attempts: 1 });
  await systemEm(orm).execute('create table written (fence int, line varchar(20))');
});
beforeEach(async () => {
  for (const table of ['lease', 'written']) await systemEm(orm).execute(`delete from ${table}`);
});

/** As if the time of a lease were over, by the database's clock. */
async function expire(name: string): Promise<void> {
  await systemEm(orm).execute('update lease set expires_at = utc_timestamp(3) where name like ?', [name]);
}

const written = async () =>
  systemEm(orm).execute<{ fence: number; line: string }[]>('select fence, line from written');

async function write(fence: Fence, line: string): Promise<void> {
  await transactions.run('T', async (em) => {
    await fence.check(em);
    await em.execute('insert into written values (?, ?)', [fence.no, line]);
  });
}

describe('a lease', () => {
  it('has one holder of many that try at once, and a higher fence with each', async () => {
    const fences: number[] = [];
    for (let round = 1; round <= 3; round += 1) {
      const tries = Array.from({ length: 8 }, async () => new LeaseRows(orm, LONG_MS).take('one'));
      const taken = (await Promise.all(tries)).filter((fence) => fence !== null);
      expect(taken).toHaveLength(1);
      fences.push(...taken.map(({ no }) => no));
      await expire('one');
    }
    expect(fences).toEqual([1, 2, 3]);
  });

  it('that ran out is renewed as long as no other took it, and lost when one did', async () => {
    const [first, second] = [new LeaseRows(orm, LONG_MS), new LeaseRows(orm, LONG_MS)];
    const old = await first.take('one');
    await expire('one');
    expect(await first.renew(['one'])).toBe(1);
    expect(await second.take('one')).toBeNull();
    await expire('one');
    expect(await second.take('one')).toMatchObject({ no: 2 });
    expect(await first.renew(['one'])).toBe(0);
    await first.giveBack(['one']);
    expect(await new LeaseRows(orm, LONG_MS).take('one'), 'only its holder gives it back').toBeNull();
    await expect(write(old as Fence, 'late')).rejects.toBeInstanceOf(LeaseLostError);
    expect(await written()).toEqual([]);
  });

  it('is not its last owner’s when a database takes over that lacks the last change and gives the number again', async () => {
    const old = (await new LeaseRows(orm, LONG_MS).take('one')) as Fence;
    await systemEm(orm).execute('delete from lease');
    expect(await new LeaseRows(orm, LONG_MS).take('one')).toMatchObject({ no: old.no });
    await expect(write(old, 'late')).rejects.toBeInstanceOf(LeaseLostError);
    expect(await written()).toEqual([]);
  });

  it('is not taken while a transaction of its holder is open, though it ran out', async () => {
    const other = new LeaseRows(orm, LONG_MS);
    const fence = (await new LeaseRows(orm, SHORT_MS).take('one')) as Fence;
    await transactions.run('T', async (em) => {
      await fence.check(em);
      // The end has to pass by itself: the row is locked for others by now.
      await pause(SHORT_MS);
      expect(await other.take('one')).toBeNull();
      await em.execute('insert into written values (?, ?)', [fence.no, 'in time']);
    });
    await expire('one');
    expect(await other.take('one')).toMatchObject({ no: 2 });
    expect(await written()).toHaveLength(1);
  });
});

describe('exclusive work', () => {
  it('keeps its lease for as long as it takes, and gives it back', async () => {
    const [holder, other] = [
      new ExclusiveWork(orm, 'work', LEASE_MS),
      new ExclusiveWork(orm, 'work', LEASE_MS),
    ];
    const mayEnd = Promise.withResolvers<void>();
    const work = holder.tryDuring(async () => {
      await mayEnd.promise;
      return 'done';
    });
    // Twice as long as the lease is taken for.
    for (let tries = 0; tries < 10; tries += 1) {
      await pause(LEASE_MS / 5);
      expect(await other.tryDuring(async () => Promise.resolve('taken'))).toBeNull();
    }
    mayEnd.resolve();
    expect(await work).toBe('done');
    expect(await other.tryDuring(async () => Promise.resolve('taken'))).toBe('taken');
  });

  it('is told when another process has taken over', async () => {
    await new ExclusiveWork(orm, 'work', 600).tryDuring(async (_fence, lost) => {
      await systemEm(orm).execute("update lease set owner = 'another', fence = fence + 1");
      await expect.poll(() => lost.aborted).toBe(true);
    });
    expect.assertions(1);
  });
});

describe('two processes', () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  function start(silenceMaxMs: number) {
    const root = path.resolve(import.meta.dirname, '../..');
    const args = [
      '--import',
      path.join(root, 'scripts/typescript.mjs'),
      path.join(root, 'test/support/lease-holder.ts'),
      database.databaseUrl,
      'shared',
      `${silenceMaxMs}`,
    ];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    children.push(child);
    let said = '';
    child.stdout.on('data', (text: Buffer) => {
      said += text.toString();
    });
    const hears = async (...answers: string[]): Promise<void> =>
      expect.poll(() => said.trim().split('\n')).toEqual(answers);
    return { child, hears, ask: (line: string) => child.stdin.write(`${line}\n`) };
  }

  it('one that is killed is followed by the other when its lease has run out', async () => {
    const first = start(LEASE_MS);
    await first.hears('HELD');
    const second = start(LEASE_MS);
    first.ask('a');
    await first.hears('HELD', 'WRITTEN');
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    await second.hears('HELD');
    second.ask('b');
    await second.hears('HELD', 'WRITTEN');
    expect(await written()).toEqual([
      { fence: 1, line: 'a' },
      { fence: 2, line: 'b' },
    ]);
  });

  it('one that is paused writes nothing when it awakens and the other has taken over', async () => {
    const first = start(LEASE_MS);
    await first.hears('HELD');
    const second = start(LEASE_MS);
    first.child.kill('SIGSTOP');
    // It reads this when it awakens, before it can know that it has lost the lease.
    first.ask('late');
    await second.hears('HELD');
    first.child.kill('SIGCONT');
    await first.hears('HELD', 'LOST');
    second.ask('b');
    await second.hears('HELD', 'WRITTEN');
    expect(await written()).toEqual([{ fence: 2, line: 'b' }]);
  });
});

describe('the partitions of tenants', () => {
  const workers: PartitionLeases[] = [];
  afterEach(async () => {
    await Promise.all(workers.splice(0).map(async (each) => each.stop()));
  });

  /** It looks at its share only when the test says so. */
  async function startedWorker(): Promise<PartitionLeases> {
    const worker = new PartitionLeases(orm, { log, silenceMaxMs: LONG_MS });
    workers.push(worker);
    await worker.balance();
    return worker;
  }

  /** One that the others count. */
  async function newWorker(): Promise<PartitionLeases> {
    const worker = await startedWorker();
    for (let looks = 0; looks < LOOKS_BEFORE_COUNTED; looks += 1) await worker.balance();
    return worker;
  }

  const sharesOf = (...of: PartitionLeases[]): number[][] =>
    of.map((worker) => PARTITION_TAGS.flatMap((tag, partition) => (worker.holds(tag) ? [partition] : [])));
  const countsOf = (...of: PartitionLeases[]): number[] => sharesOf(...of).map(({ length }) => length);

  it('are divided among the workers that there are, each to one', async () => {
    const first = await newWorker();
    expect(countsOf(first)).toEqual([16]);
    const second = await newWorker();
    await first.balance();
    await second.balance();
    expect(countsOf(first, second)).toEqual([8, 8]);
    const third = await newWorker();
    for (const each of [first, second, third]) await each.balance();
    const shares = sharesOf(first, second, third);
    expect(shares.map(({ length }) => length).toSorted((a, b) => a - b)).toEqual([5, 5, 6]);
    expect(new Set(shares.flat()).size).toBe(16);
  });

  it('are divided evenly also where they cannot be divided alike: no worker has none', async () => {
    const all: PartitionLeases[] = [];
    for (let count = 0; count < 9; count += 1) all.push(await newWorker());
    for (const each of [...all, ...all]) await each.balance();
    expect(countsOf(...all).toSorted((a, b) => a - b)).toEqual([1, 1, 2, 2, 2, 2, 2, 2, 2]);
  });

  it('stay with their worker when another one starts and dies at once; what is free a new one takes at once', async () => {
    const first = await newWorker();
    // Nothing more is heard of this one.
    await startedWorker();
    await first.balance();
    expect(countsOf(first)).toEqual([16]);
    await first.stop();
    expect(countsOf(await startedWorker())).toEqual([16]);
  });

  it('are renewed though a transaction has one of them locked', async () => {
    const worker = await newWorker();
    const [locked = '', other = ''] = PARTITION_TAGS;
    await worker.whileHeld(locked, async (fence) =>
      transactions.run('T', async (em) => {
        await fence.check(em);
        await expire(`tenants/partition/${partitionOf(other)}`);
        await worker.balance();
      }),
    );
    const next = await newWorker();
    expect(countsOf(worker, next)).toEqual([16, 0]);
  });

  it('are not held by two where the database has lost who took them, and gives the same numbers again', async () => {
    const first = await newWorker();
    await systemEm(orm).execute("delete from lease where name like 'tenants/partition/%'");
    const second = await newWorker();
    await first.balance();
    await second.balance();
    const shares = sharesOf(first, second);
    expect(shares.map(({ length }) => length)).toEqual([8, 8]);
    expect(new Set(shares.flat()).size).toBe(16);
  });

  it('of a worker that stops go to the others at once, and of one that was killed when its leases have run out', async () => {
    const [first, second, third] = [await newWorker(), await newWorker(), await newWorker()];
    for (const each of [first, second, third]) await each.balance();
    await first.stop();
    for (const each of [second, third]) await each.balance();
    expect(countsOf(second, third)).toEqual([8, 8]);
    // Nothing more is heard of the third one.
    await second.balance();
    expect(countsOf(second)).toEqual([8]);
    await systemEm(orm).execute(
      `update lease l join (select owner from lease where name = 'tenants/partition/${sharesOf(third)[0]?.[0]}') o
         on l.owner = o.owner set l.expires_at = utc_timestamp(3)`,
    );
    await second.balance();
    expect(countsOf(second)).toEqual([16]);
    await third.balance();
    expect(countsOf(third), 'what it held is another worker’s now').toEqual([0]);
  });

  it('change hands when the work on them has ended, and no further work begins', async () => {
    const first = await newWorker();
    const mayEnd = Promise.withResolvers<void>();
    const works = PARTITION_TAGS.map(async (tag) => first.whileHeld(tag, async () => mayEnd.promise));
    const second = await newWorker();
    await first.balance();
    await second.balance();
    expect(countsOf(first, second)).toEqual([8, 0]);
    const left = PARTITION_TAGS.find((tag) => !first.holds(tag)) ?? '';
    expect(await first.whileHeld(left, async () => Promise.resolve('more'))).toBeNull();
    mayEnd.resolve();
    await Promise.all(works);
    await first.balance();
    await second.balance();
    expect(countsOf(first, second)).toEqual([8, 8]);
  });

  it('are given up where no work is under way, rather than where it does not end', async () => {
    // So that those that hang are the last it takes.
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const first = await newWorker();
    const mayEnd = Promise.withResolvers<void>();
    const works = PARTITION_TAGS.slice(0, 8).map(async (tag) =>
      first.whileHeld(tag, async () => mayEnd.promise),
    );
    const second = await newWorker();
    await first.balance();
    await second.balance();
    expect(countsOf(first, second)).toEqual([8, 8]);
    mayEnd.resolve();
    await Promise.all(works);
  });
});
