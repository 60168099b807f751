import { LRUCache } from 'lru-cache';
import { describe, expect, it } from 'vitest';
import { atMost } from '../../src/platform/cache-size.js';

describe('a cache of at most some entries', () => {
  it('holds that number, and drops the one that was used longest ago', () => {
    const cache = new LRUCache<string, number>(atMost(3));
    for (const [at, key] of ['a', 'b', 'c'].entries()) cache.set(key, at);
    cache.get('a');
    cache.set('d', 3);
    expect([...cache.keys()].toSorted()).toEqual(['a', 'c', 'd']);
  });

  it('holds that number of values that it fetches itself', async () => {
    const cache = new LRUCache<string, string>({
      ...atMost(2),
      ttl: 60_000,
      fetchMethod: async (key) => key,
    });
    for (const key of ['a', 'b', 'c', 'd']) expect(await cache.fetch(key)).toBe(key);
    expect([...cache.keys()].toSorted()).toEqual(['c', 'd']);
  });
});
