import { LRUCache } from 'lru-cache';

const ENTRIES_MAX = 10_000;
const TTL_MS = 1000;

/**
 * Rows that every request reads, kept for a second. Callers that ask for the same row at once share one read.
 * Whatever must hold exactly is decided again inside the transaction, so a second of staleness costs nothing.
 * That a row is missing is not kept: what was just made is found at once.
 */
export class ReadCache<T extends object> {
  private readonly cache: LRUCache<string, Read<T>, ReadArguments>;

  constructor(load: (tenantId: string, key: string) => Promise<T | null>, ttlMs: number = TTL_MS) {
    this.cache = new LRUCache<string, Read<T>, ReadArguments>({
      max: ENTRIES_MAX,
      ttl: ttlMs,
      // A reader that waits while its row is invalidated gets what was read; it is only not kept.
      ignoreFetchAbort: true,
      fetchMethod: async (_cacheKey, _stale, { context, options }) => {
        const row = await load(context.tenantId, context.key);
        if (row === null) Object.assign(options, { ttl: 1 });
        return { row };
      },
    });
  }

  async find(tenantId: string, key: string): Promise<T | null> {
    const read = await this.cache.fetch(cacheKey(tenantId, key), { context: { tenantId, key } });
    return read?.row ?? null;
  }

  invalidate(tenantId: string, key: string): void {
    this.cache.delete(cacheKey(tenantId, key));
  }
}

interface Read<T> {
  readonly row: T | null;
}

interface ReadArguments {
  readonly tenantId: string;
  readonly key: string;
}

function cacheKey(tenantId: string, key: string): string {
  return `${tenantId}\0${key}`;
}
