import { expect, it } from 'vitest';
import { StoreUnavailableError } from '../../src/platform/errors.js';
import { ReadCache } from '../../src/platform/read-cache.js';

/** A store with one row, which can be away. */
function openStore() {
  const store = { row: 'DISABLED', isAway: false, reads: 0 };
  const load = async (): Promise<string> => {
    store.reads += 1;
    if (store.isAway) throw new StoreUnavailableError('database');
    return store.row;
  };
  return { store, load };
}

it('answers the last row while the store is away, also one that was invalidated before', async () => {
  const { store, load } = openStore();
  const cache = new ReadCache<string>(load, { ttlMs: 60_000, outlastsStore: true });
  await cache.find('T', '1');
  cache.invalidate('T', '1');
  store.isAway = true;
  expect(await cache.find('T', '1')).toBe('DISABLED');
  expect(store.reads).toBe(2);
});

it('reads a row that was invalidated at the next look, and keeps what it read then', async () => {
  const { store, load } = openStore();
  const cache = new ReadCache<string>(load, { ttlMs: 60_000, outlastsStore: true });
  await cache.find('T', '1');
  store.row = 'ACTIVE';
  cache.invalidate('T', '1');
  expect([await cache.find('T', '1'), await cache.find('T', '1'), store.reads]).toEqual([
    'ACTIVE',
    'ACTIVE',
    2,
  ]);
});

it('does not keep what a read found that was under way when its row was invalidated', async () => {
  const { store, load } = openStore();
  const gate = Promise.withResolvers<null>();
  let isHeld = false;
  const held = async (): Promise<string> => {
    const row = await load();
    if (isHeld) await gate.promise;
    return row;
  };
  const cache = new ReadCache<string>(held, { ttlMs: 1, outlastsStore: true });
  await cache.find('T', '1');
  await expect.poll(() => performance.now()).toBeGreaterThan(5);
  cache.invalidate('T', '1');
  isHeld = true;
  const underWay = cache.find('T', '1');
  cache.invalidate('T', '1');
  store.row = 'ACTIVE';
  isHeld = false;
  gate.resolve(null);
  expect(await underWay).toBe('DISABLED');
  expect(await cache.find('T', '1')).toBe('ACTIVE');
});

it('knows nothing of an invalidated row while the store is away, where a row does not outlast the store', async () => {
  const { store, load } = openStore();
  const cache = new ReadCache<string>(load);
  await cache.find('T', '1');
  cache.invalidate('T', '1');
  store.isAway = true;
  await expect(cache.find('T', '1')).rejects.toBeInstanceOf(StoreUnavailableError);
});
