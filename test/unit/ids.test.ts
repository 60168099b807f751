import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareIds, IdGenerator, isId, sortedIds, type NodeLease } from '../../src/platform/ids.js';

const START_MS = Date.UTC(2026, 0, 1);
const FOR_EVER: NodeLease = { nodeNo: 7, validUntilMs: Number.MAX_SAFE_INTEGER };

/** A generator on a clock that shows the given times one after another, then stays at the last one. */
function generator(times: readonly number[], lease = FOR_EVER): IdGenerator {
  let at = 0;
  const clock = { nowMs: () => START_MS + (times[Math.min(at++, times.length - 1)] ?? 0) };
  return new IdGenerator(clock, () => lease);
}

describe('an id generator', () => {
  it('never repeats an id and only ever goes up, whatever the clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 200 }), (times) => {
        const ids = generator(times);
        const made = times.map(() => BigInt(ids.next()));
        made.reduce((before, id) => {
          expect(id).toBeGreaterThan(before);
          return id;
        });
      }),
    );
  });

  it('borrows from the next millisecond after 1,024 ids in one', () => {
    const ids = generator([0]);
    const made = Array.from({ length: 5000 }, () => ids.next());
    expect(new Set(made).size).toBe(5000);
    expect(made).toEqual(made.toSorted(compareIds));
  });

  it('shares no id with another node at the same moment', () => {
    const here = generator([0]);
    const there = generator([0], { nodeNo: 8, validUntilMs: Number.MAX_SAFE_INTEGER });
    const made = Array.from({ length: 3000 }, () => [here.next(), there.next()]).flat();
    expect(new Set(made).size).toBe(6000);
  });

  it('makes none after its lease has run out', () => {
    const ids = generator([0, 10, 11], { nodeNo: 7, validUntilMs: START_MS + 10 });
    ids.next();
    ids.next();
    expect(() => ids.next()).toThrow('The process node lease has run out.');
  });

  it('makes ids that fit into 63 bits until the year 2093, for every node', () => {
    const id = generator([Date.UTC(2093, 0, 1) - START_MS], { nodeNo: 4095, validUntilMs: Infinity }).next();
    expect(isId(id)).toBe(true);
    expect(BigInt(id)).toBeLessThan(2n ** 63n);
  });
});

describe('ids', () => {
  it('are ordered as numbers are, also beyond 2^53', () => {
    fc.assert(
      fc.property(fc.bigInt(1n, 2n ** 63n - 1n), fc.bigInt(1n, 2n ** 63n - 1n), (a, b) => {
        expect(Math.sign(compareIds(String(a), String(b)))).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });

  it('are sorted without repetition', () => {
    expect(sortedIds(['10', '9', '10', '100'])).toEqual(['9', '10', '100']);
  });

  it.each(['', '0', '01', '-1', '1.5', '1e3', ' 1', '9223372036854775808', '1'.repeat(20), 'x', '1 or 1=1'])(
    'are not "%s"',
    (text) => {
      expect(isId(text)).toBe(false);
    },
  );

  it.each(['1', '9223372036854775807'])('can be %s', (text) => {
    expect(isId(text)).toBe(true);
  });
});
