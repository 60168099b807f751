import { LRUCache } from 'lru-cache';
import { atMost } from './cache-size.js';
import { StoreUnavailableError } from './errors.js';

const ENTRIES_MAX = 10_000;
const TTL_MS = 1000;

export interface ReadCacheOptions {
  readonly ttlMs?: number;
  /** How long "there is no such row" is kept; by default not at all, so that a new row is found at once. */
  readonly missingTtlMs?: number;
  /** Answers the last row read while the store does not answer. Only where a transaction decides afterwards. */
  readonly outlastsStore?: boolean;
}

/**
 * Rows that every request reads, kept for a second. Callers that ask for the same row at once share one read.
 * Whatever must hold exactly is decided again inside the transaction, so a second of staleness costs nothing.
 */
export class ReadCache<T extends object | string> {
  private readonly cache: LRUCache<string, Read<T>, ReadArguments>;
  private readonly outlastsStore: boolean;
  private readonly missingTtlMs: number;

  constructor(
    load: (tenantId: string, key: string) => Promise<T | null>,
    { ttlMs = TTL_MS, missingTtlMs = 1, outlastsStore = false }: ReadCacheOptions = {},
  ) {
    this.outlastsStore = outlastsStore;
    this.missingTtlMs = missingTtlMs;
    this.cache = new LRUCache<string, Read<T>, ReadArguments>({
      ...atMost(ENTRIES_MAX),
      ttl: ttlMs,
      noDeleteOnStaleGet: outlastsStore,
      // A reader that waits while its row is invalidated gets what was read; it is only not kept.
      ignoreFetchAbort: true,
      fetchMethod: async (_cacheKey, last, { context, options }) => {
        try {
          const row = await load(context.tenantId, context.key);
          if (row === null) Object.assign(options, { ttl: missingTtlMs });
          return { row };
        } catch (error) {
          if (outlastsStore && last !== undefined && error instanceof StoreUnavailableError) return last;
          throw error;
        }
      },
    });
  }

  async find(tenantId: string, key: string): Promise<T | null> {
    const name = cacheKey(tenantId, key);
    // Most readers find it here; what `fetch` makes for each of them costs several times as much.
    const read = this.cache.get(name) ?? (await this.cache.fetch(name, { context: { tenantId, key } }));
    return read?.row ?? null;
  }

  /** The cached row if it is up to date, without a read; else undefined. */
  known(tenantId: string, key: string): T | null | undefined {
    return this.cache.get(cacheKey(tenantId, key))?.row;
  }

  /** Keeps what the caller has learned of a row: it exists no longer, or has this state. */
  note(tenantId: string, key: string, row: T | null): void {
    const name = cacheKey(tenantId, key);
    this.cache.set(name, { row }, row === null ? { ttl: this.missingTtlMs } : {});
  }

  invalidate(tenantId: string, key: string): void {
    const name = cacheKey(tenantId, key);
    const last = this.outlastsStore ? this.cache.peek(name, { allowStale: true }) : undefined;
    // Out of date at once: the next reader reads it, and gets this one only while the store does not answer.
    if (last === undefined) this.cache.delete(name);
    else this.cache.set(name, last, { ttl: 1, start: performance.now() - 1000 });
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
