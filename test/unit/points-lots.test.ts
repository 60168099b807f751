import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { givenBack, spendFrom, type LotPoints, type LotState } from '../../src/orders/points/points-lots.js';

const lot = (id: string, remaining: number, expiresAtMs: number | null = null): LotState => ({
  id,
  remaining,
  spent: 0,
  expiresAt: expiresAtMs === null ? null : new Date(expiresAtMs),
});

describe('S2.8 points', () => {
  it('are spent from the lots that expire first', () => {
    const lots = [lot('1', 5), lot('2', 5, 300), lot('3', 5, 200), lot('4', 5, 100)];
    expect(spendFrom(lots, 12, 100)).toEqual([
      { lotId: '3', points: 5 },
      { lotId: '2', points: 5 },
      { lotId: '1', points: 2 },
    ]);
  });

  it('are not spent where all lots that have not expired are too few', () => {
    expect(spendFrom([lot('1', 5), lot('2', 5, 100)], 6, 100)).toBeNull();
    expect(spendFrom([], 1, 0)).toBeNull();
  });
});

describe('S2.8 points that go back to a lot', () => {
  const spent = { ...lot('1', 2, 100), spent: 3 };

  it('are there again until it expires', () => {
    expect(givenBack(spent, 3, 99)).toEqual({ remaining: 5, spent: 0, expired: 0 });
  });

  it('expire at once from then on, whatever the sweep has done', () => {
    expect(givenBack(spent, 3, 100)).toEqual({ remaining: 2, spent: 0, expired: 3 });
  });
});

/** A ledger over the lots of one user, as the services keep it. */
class Model {
  readonly lots = new Map<string, LotState>();
  readonly orders: LotPoints[][] = [];
  readonly entries: number[] = [];
  nowMs = 0;

  grant(points: number, validMs: number | null): void {
    const id = String(this.lots.size + 1);
    this.lots.set(id, lot(id, points, validMs === null ? null : this.nowMs + validMs));
    this.entries.push(points);
  }

  spend(points: number): void {
    const taken = spendFrom([...this.lots.values()], points, this.nowMs);
    if (taken === null) return;
    for (const part of taken) {
      const of = this.lots.get(part.lotId) as LotState;
      this.lots.set(of.id, { ...of, remaining: of.remaining - part.points, spent: of.spent + part.points });
    }
    this.orders.push(taken);
    this.entries.push(-points);
  }

  close(): void {
    for (const part of this.orders.shift() ?? []) {
      const of = this.lots.get(part.lotId) as LotState;
      const { remaining, spent, expired } = givenBack(of, part.points, this.nowMs);
      this.lots.set(of.id, { ...of, remaining, spent });
      this.entries.push(part.points, -expired);
    }
  }

  sweep(): void {
    for (const of of this.lots.values()) {
      if (of.expiresAt === null || of.expiresAt === undefined || of.expiresAt.getTime() > this.nowMs)
        continue;
      this.entries.push(-of.remaining);
      this.lots.set(of.id, { ...of, remaining: 0 });
    }
  }
}

const step = fc.oneof(
  fc.record({
    kind: fc.constant('grant' as const),
    points: fc.integer({ min: 1, max: 50 }),
    validMs: fc.option(fc.integer({ min: 1, max: 100 })),
  }),
  fc.record({ kind: fc.constant('spend' as const), points: fc.integer({ min: 1, max: 80 }) }),
  fc.record({ kind: fc.constant('close' as const) }),
  fc.record({ kind: fc.constant('sweep' as const) }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 60 }) }),
);

describe('S2.8 after any sequence of grants, orders, closed orders and sweeps', () => {
  it('the ledger is the sum of the lots, and no expired point can be spent or outlives a sweep', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const model = new Model();
        for (const one of steps) {
          if (one.kind === 'grant') model.grant(one.points, one.validMs);
          else if (one.kind === 'spend') model.spend(one.points);
          else if (one.kind === 'close') model.close();
          else if (one.kind === 'sweep') model.sweep();
          else model.nowMs += one.ms;
          const lots = [...model.lots.values()];
          const sum = lots.reduce((total, { remaining }) => total + remaining, 0);
          expect(model.entries.reduce((total, points) => total + points, 0)).toBe(sum);
          expect(lots.every(({ remaining, spent }) => remaining >= 0 && spent >= 0)).toBe(true);
        }
        model.sweep();
        const open = model.orders.flat().reduce((total, { points }) => total + points, 0);
        const lots = [...model.lots.values()];
        expect(lots.reduce((total, { spent }) => total + spent, 0)).toBe(open);
        const dead = lots.filter(({ expiresAt }) => expiresAt && expiresAt.getTime() <= model.nowMs);
        expect(dead.every(({ remaining }) => remaining === 0)).toBe(true);
      }),
    );
  });
});
