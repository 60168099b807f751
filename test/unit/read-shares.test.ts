import { describe, expect, it } from 'vitest';
import { readShares } from '../../src/app/read-shares.js';

describe('the connections for reads', () => {
  it('X.19 are enough for all that may read at once, in a pool of any size', () => {
    for (const poolSize of Array.from({ length: 198 }, (_, at) => at + 3)) {
      const { lists, ofEvents } = readShares(poolSize);
      expect(lists + 2 * ofEvents).toBe(poolSize);
      expect(Math.min(lists, ofEvents)).toBeGreaterThanOrEqual(1);
    }
    expect(readShares(10)).toEqual({ lists: 6, ofEvents: 2 });
  });
});
