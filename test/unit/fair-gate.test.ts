import { setImmediate as round, setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { BusyError, FairGate, type GateLimits } from '../../src/platform/scheduling/fair-gate.js';
import { FairQueue, type Caller } from '../../src/platform/scheduling/fair-queue.js';

const LIMITS: GateLimits = {
  atOnce: 6,
  waiting: 50,
  waitingPerTenant: 30,
  waitingPerCaller: { STAFF: 20, USER: 10, PARTNER: 10, NODE: 10, ADDRESS: 10 },
  waitMsMax: 60_000,
};
const MANY = { STAFF: 1000, USER: 1000, PARTNER: 1000, NODE: 1000, ADDRESS: 1000 };
const caller = (tenantId: string, id: string, kind: Caller['kind'] = 'USER'): Caller => ({
  tenantId,
  kind,
  id,
});

/** Work that ends when the test ends it. */
class Work {
  readonly started: string[] = [];
  private readonly leaving: (() => void)[] = [];
  readonly gate: FairGate;

  constructor(limits: Partial<GateLimits> = {}, isPressed: (caller: Caller) => boolean = () => false) {
    this.gate = new FairGate({ ...LIMITS, ...limits }, isPressed);
  }

  async ask(who: Caller): Promise<void> {
    const leave = await this.gate.enter(who);
    this.started.push(`${who.tenantId}:${who.id}`);
    this.leaving.push(leave);
  }

  askMany(who: Caller, count: number): void {
    for (let asked = 0; asked < count; asked += 1) void this.ask(who);
  }

  /** Ends the work that started first; resolves when what follows has started. */
  async end(count = 1): Promise<void> {
    for (let ended = 0; ended < count; ended += 1) {
      this.leaving.shift()?.();
      await settled();
    }
  }
}

const settled = async (): Promise<void> => pause(0);

describe('the gate of queries and changes (X.19)', () => {
  it('tells the caller who waits that what it needs is away, and keeps the places of others', async () => {
    const { gate } = new Work({ atOnce: 1 });
    const leave = await gate.enter(caller('A', '1'));
    const failed = gate.enter(caller('A', '1'));
    const kept = gate.enter(caller('A', '3'));
    gate.failWaiting(new Error('away'), ({ id }) => id === '1');
    await expect(failed).rejects.toThrow('away');
    leave();
    await expect(kept).resolves.toBeTypeOf('function');
  });

  it('gives a single caller all places but three, and those to another caller, kind and tenant', async () => {
    const work = new Work();
    work.askMany(caller('A', '1', 'STAFF'), 9);
    await settled();
    expect(work.started).toEqual(['A:1', 'A:1', 'A:1']);
    work.askMany(caller('A', '2', 'STAFF'), 9);
    await settled();
    expect(work.started.slice(3)).toEqual(['A:2']);
    work.askMany(caller('A', '3'), 9);
    await settled();
    expect(work.started.slice(4)).toEqual(['A:3']);
    work.askMany(caller('B', '1'), 9);
    work.askMany(caller('C', '1'), 9);
    await settled();
    expect(work.started.slice(5)).toEqual(['B:1']);
  });

  it.each([1, 2, 3, 4])('runs work of a single caller with %i places, too', async (atOnce) => {
    const work = new Work({ atOnce });
    work.askMany(caller('A', '1'), 5);
    await settled();
    await work.end(5);
    expect(work.started).toHaveLength(5);
  });

  it('leaves the users of a tenant a place, however many of its staff have slow lists', async () => {
    const work = new Work();
    for (let no = 0; no < 5; no += 1) work.askMany(caller('A', `staff ${no}`, 'STAFF'), 4);
    await settled();
    expect(work.started).toHaveLength(4);
    await work.ask(caller('A', 'user'));
    expect(work.started.at(-1)).toBe('A:user');
  });

  it('gives a caller one place while something else needs the machine, and another caller one as well', async () => {
    let isPressed = true;
    const work = new Work({}, () => isPressed);
    work.askMany(caller('A', '1'), 9);
    work.askMany(caller('A', '2'), 9);
    await settled();
    expect(work.started).toEqual(['A:1', 'A:2']);
    isPressed = false;
    await work.end();
    // Both of the places that the two can have besides the busy one.
    expect(work.started).toEqual(['A:1', 'A:2', 'A:1', 'A:2']);
  });

  it('serves tenants in turn, and callers of a tenant in turn, however many requests one of them has sent', async () => {
    const work = new Work({ atOnce: 1 });
    work.askMany(caller('A', '1'), 5);
    work.askMany(caller('A', '2'), 2);
    work.askMany(caller('B', '1'), 2);
    await settled();
    await work.end(8);
    expect(work.started).toEqual(['A:1', 'A:1', 'B:1', 'A:2', 'B:1', 'A:1', 'A:2', 'A:1', 'A:1']);
  });

  it('gives every place back: 1,000 requests of 10 callers all run, and one place stays free for another tenant', async () => {
    const gate = new FairGate({ ...LIMITS, waiting: 1000, waitingPerTenant: 1000, waitingPerCaller: MANY });
    let running = 0;
    let most = 0;
    const run = async (no: number): Promise<void> => {
      const leave = await gate.enter(caller(`T${no % 5}`, String(no % 10)));
      running += 1;
      most = Math.max(most, running);
      await round();
      running -= 1;
      leave();
    };
    await Promise.all(Array.from({ length: 1000 }, async (_, no) => run(no)));
    expect([running, most]).toEqual([0, 5]);
  });

  it.each([
    ['USER', 10],
    ['STAFF', 20],
  ] as const)(
    'refuses at once what is more than a %s may have waiting, and begins none of it',
    async (kind, most) => {
      const work = new Work();
      work.askMany(caller('A', '1', kind), 3 + most);
      await expect(work.ask(caller('A', '1', kind))).rejects.toMatchObject({ bound: 'CALLER', most });
      await expect(work.ask(caller('A', '2', kind))).resolves.toBeUndefined();
      expect(work.started).toEqual(['A:1', 'A:1', 'A:1', 'A:2']);
    },
  );

  it('refuses what waits beyond the bound of a tenant, and lets another tenant wait', async () => {
    const work = new Work({ atOnce: 1, waitingPerTenant: 2 });
    for (const id of ['1', '2', '3']) void work.ask(caller('A', id));
    await expect(work.ask(caller('A', '4'))).rejects.toMatchObject({ bound: 'TENANT', most: 2 });
    const other = work.ask(caller('B', '1'));
    await work.end(2);
    await expect(other).resolves.toBeUndefined();
  });

  it('refuses what waits in all beyond its bound, but lets one request of a tenant that has none wait', async () => {
    const work = new Work({ atOnce: 1, waiting: 2 });
    for (const id of ['1', '2', '3']) void work.ask(caller(id, '1'));
    await expect(work.ask(caller('3', '2'))).rejects.toMatchObject({ bound: 'ALL', most: 2 });
    const letIn = work.ask(caller('4', '1'));
    await expect(work.ask(caller('4', '2'))).rejects.toMatchObject({ bound: 'ALL', most: 2 });
    await work.end(3);
    await letIn;
    expect(work.started).toEqual(['1:1', '2:1', '3:1', '4:1']);
  });

  it('looks at none of a thousand callers of one tenant while only another tenant may start', async () => {
    const work = new Work({ atOnce: 2, waiting: 2000, waitingPerTenant: 2000 });
    let asked = 0;
    // One runs, and the place that is left is for another tenant.
    await work.ask(caller('A', 'first'));
    const other = await work.gate.enter(caller('B', '1'));
    for (let no = 0; no < 1000; no += 1) {
      const who = caller('A', String(no));
      const watched = {
        ...who,
        get kind(): Caller['kind'] {
          asked += 1;
          return 'USER';
        },
      };
      void work.gate.enter(watched);
    }
    const before = asked;
    other();
    await settled();
    expect(asked - before).toBe(0);
  });

  it('without a bound on all looks at none of a thousand others when a caller leaves, and starts its own work', async () => {
    const looked: string[] = [];
    const isPressed = ({ id }: Caller): boolean => looked.push(id) > 0;
    const limits = { atOnce: Infinity, waiting: 2000, waitingPerTenant: 2000, waitingPerCaller: MANY };
    const work = new Work(limits, isPressed);
    work.askMany(caller('A', 'first'), 3);
    for (let no = 0; no < 1000; no += 1) work.askMany(caller('A', String(no)), 2);
    await settled();
    expect(work.started).toHaveLength(1001);
    looked.length = 0;
    await work.end();
    expect([new Set(looked), work.started.at(-1)]).toEqual([new Set(['first']), 'A:first']);
  });

  it.each([
    ['STAFF', 2],
    ['USER', 1],
    ['ADDRESS', 1],
  ] as const)(
    'gives a caller of kind %s %i places while something else needs the machine',
    async (kind, places) => {
      const work = new Work({}, () => true);
      work.askMany(caller('A', '1', kind), 9);
      await settled();
      expect(work.started).toHaveLength(places);
      await work.end(4);
      expect(work.started).toHaveLength(places + 4);
    },
  );

  it('refuses what has waited for too long, and lets the next one pass', async () => {
    const work = new Work({ atOnce: 1, waitMsMax: 20 });
    await work.ask(caller('A', '1'));
    const late = work.ask(caller('B', '1'));
    await expect(late).rejects.toBeInstanceOf(BusyError);
    await expect(late).rejects.toMatchObject({ bound: 'TIME', most: 20, retryAfterMs: 20 });
    await work.end();
    await work.ask(caller('C', '1'));
    expect(work.started).toEqual(['A:1', 'C:1']);
  });
});

describe('the fair queue', () => {
  it('looks at no line of a tenant that may have nothing, and keeps its items', () => {
    const queue = new FairQueue<string>();
    for (let no = 0; no < 1000; no += 1) queue.push(caller('A', String(no)), 'a');
    queue.push(caller('B', '1'), 'b');
    const asked: string[] = [];
    const may = ({ tenantId }: Caller): boolean => asked.push(tenantId) > 0;
    expect(queue.take(may, (tenantId) => tenantId !== 'A')).toBe('b');
    expect([asked, queue.size]).toEqual([['B'], 1000]);
  });

  it('counts what waits, and forgets what was removed', () => {
    const queue = new FairQueue<string>();
    queue.push(caller('A', '1'), 'a');
    queue.push(caller('A', '1'), 'b');
    queue.remove(caller('A', '1'), 'a');
    queue.remove(caller('A', '1'), 'never there');
    const sizes = [queue.size, queue.sizeOfTenant('A'), queue.sizeOf(caller('A', '1'))];
    expect([...sizes, queue.take(), queue.take(), queue.size]).toEqual([1, 1, 1, 'b', undefined, 0]);
  });
});
