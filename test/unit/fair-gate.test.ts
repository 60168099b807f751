import { setImmediate as round, setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { BusyError, FairGate, type GateLimits } from '../../src/platform/fair-gate.js';
import { FairQueue, type Caller } from '../../src/platform/fair-queue.js';

const LIMITS: GateLimits = {
  atOnce: 4,
  perTenant: 3,
  perCaller: 2,
  waiting: 50,
  waitingPerCaller: 10,
  waitMsMax: 60_000,
};
const caller = (tenantId: string, id: string): Caller => ({ tenantId, id });

/** Work that ends when it is told to. */
class Work {
  readonly started: string[] = [];
  private readonly leaving: (() => void)[] = [];
  readonly gate: FairGate;

  constructor(limits: Partial<GateLimits> = {}) {
    this.gate = new FairGate({ ...LIMITS, ...limits });
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
    const { gate } = new Work();
    const running = [await gate.enter(caller('A', '1')), await gate.enter(caller('A', '1'))];
    const failed = gate.enter(caller('A', '1'));
    running.push(await gate.enter(caller('A', '2')));
    const kept = gate.enter(caller('A', '3'));
    gate.failWaiting(new Error('away'), ({ id }) => id === '1');
    await expect(failed).rejects.toThrow('away');
    for (const leave of running) leave();
    await expect(kept).resolves.toBeTypeOf('function');
    await expect(gate.enter(caller('A', '1'))).resolves.toBeTypeOf('function');
  });

  it('runs two of a caller, three of a tenant and four in all at once', async () => {
    const work = new Work();
    work.askMany(caller('A', '1'), 9);
    await settled();
    expect(work.started).toEqual(['A:1', 'A:1']);
    work.askMany(caller('A', '2'), 9);
    await settled();
    expect(work.started).toEqual(['A:1', 'A:1', 'A:2']);
    work.askMany(caller('B', '1'), 9);
    work.askMany(caller('C', '1'), 9);
    await settled();
    expect(work.started).toEqual(['A:1', 'A:1', 'A:2', 'B:1']);
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

  it('gives every place back: 1,000 requests of 10 callers all run, and never more than four at once', async () => {
    const gate = new FairGate({ ...LIMITS, waiting: 1000, waitingPerCaller: 1000 });
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
    expect([running, most]).toEqual([0, 4]);
  });

  it('refuses what is more than a caller may have waiting, at once, and begins none of it', async () => {
    const work = new Work({ waitingPerCaller: 3 });
    work.askMany(caller('A', '1'), 2 + 3);
    await expect(work.ask(caller('A', '1'))).rejects.toBeInstanceOf(BusyError);
    await expect(work.ask(caller('A', '2'))).resolves.toBeUndefined();
    expect(work.started).toEqual(['A:1', 'A:1', 'A:2']);
  });

  it('refuses what waits in all beyond its bound', async () => {
    const work = new Work({ atOnce: 1, waiting: 2 });
    for (const id of ['1', '2', '3']) void work.ask(caller(id, '1'));
    await expect(work.ask(caller('4', '1'))).rejects.toBeInstanceOf(BusyError);
  });

  it('refuses what has waited for too long, and lets the next one pass', async () => {
    const work = new Work({ atOnce: 1, waitMsMax: 20 });
    await work.ask(caller('A', '1'));
    await expect(work.ask(caller('B', '1'))).rejects.toMatchObject({ retryAfterMs: 20 });
    await work.end();
    await work.ask(caller('C', '1'));
    expect(work.started).toEqual(['A:1', 'C:1']);
  });
});

describe('the fair queue', () => {
  it('counts what waits, and forgets what was removed', () => {
    const queue = new FairQueue<string>();
    queue.push(caller('A', '1'), 'a');
    queue.push(caller('A', '1'), 'b');
    queue.remove(caller('A', '1'), 'a');
    queue.remove(caller('A', '1'), 'never there');
    expect([queue.size, queue.sizeOf(caller('A', '1')), queue.take(), queue.take()]).toEqual([
      1,
      1,
      'b',
      undefined,
    ]);
  });
});
