import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';
import { atMost } from '../cache-size.js';

const TENANTS_MAX = 10_000;

/**
 * Look-ups that come while one is under way wait for it and go together, as commits do: under load one query serves
 * many, and a lone look-up does not wait.
 */
export function gathered<Key, Value>(
  load: (keys: readonly Key[]) => Promise<Value[]>,
  maxBatchSize: number,
): DataLoader<Key, Value> {
  let underWay = 0;
  const waiting: (() => void)[] = [];
  const batch = async (keys: readonly Key[]): Promise<Value[]> => {
    underWay += 1;
    try {
      return await load(keys);
    } finally {
      underWay -= 1;
      for (const dispatch of waiting.splice(0)) dispatch();
    }
  };
  const batchScheduleFn = (dispatch: () => void): void => {
    if (underWay === 0) setImmediate(dispatch);
    else waiting.push(dispatch);
  };
  return new DataLoader(batch, { cache: false, maxBatchSize, batchScheduleFn });
}

/** The same for each tenant on its own: its look-ups neither wait for those of another tenant nor fail with them. */
export function gatheredByTenant<Key extends { readonly tenantId: string }, Value>(
  load: (tenantId: string, keys: readonly Key[]) => Promise<Value[]>,
  maxBatchSize: number,
): { readonly load: (key: Key) => Promise<Value> } {
  const loaders = new LRUCache<string, DataLoader<Key, Value>>({
    ...atMost(TENANTS_MAX),
    memoMethod: (tenantId) => gathered(async (keys: readonly Key[]) => load(tenantId, keys), maxBatchSize),
  });
  return { load: async (key) => loaders.memo(key.tenantId).load(key) };
}
