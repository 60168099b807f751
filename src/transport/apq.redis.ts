import { LRUCache } from 'lru-cache';
import { atMost } from '../platform/cache-size.js';
import type { Redis } from '../platform/redis/redis.js';

const TTL_S = 86_400;
const TEXT_LENGTH_MAX = 16_384;
const MEMORY_MAX = 1000;
const HASH_LENGTH = 64;

/**
 * Automatic persisted queries: clients send the SHA-256 of an operation, and its text only when asked for it.
 *
 * Anyone may register, so what can be stored is bounded: a text goes into one of 4,096 slots by its hash and replaces
 * what was there. At most 64 MiB are ever held, and a caller who fills the slots with rubbish costs others one extra
 * round trip. A text that holds a value written out, which may be a code, is run and never stored. When Redis is away, an operation is unknown and the client sends its text: nothing fails.
 */
export class ApqCache {
  private readonly memory = new LRUCache<string, string>(atMost(MEMORY_MAX));
  private readonly neverStored = new LRUCache<string, true>(atMost(MEMORY_MAX));

  constructor(
    private readonly redis: Redis,
    private readonly mayBeStored: (text: string) => boolean,
  ) {}

  /** Apollo gives the hash with its own prefix, `apq:`. */
  async get(key: string): Promise<string | undefined> {
    const hash = hashOf(key);
    if (hash === null) return undefined;
    const known = this.memory.get(hash);
    if (known !== undefined) return known;
    const stored = await this.ask(() => this.redis.get(slotOf(hash)));
    if (typeof stored !== 'string' || !stored.startsWith(hash)) return undefined;
    const text = stored.slice(HASH_LENGTH);
    this.memory.set(hash, text);
    return text;
  }

  /** The text that a request names by its hash, where this process has it. */
  known(persisted: unknown): string | null {
    const { version, sha256Hash } = persisted as {
      readonly version?: unknown;
      readonly sha256Hash?: unknown;
    };
    if (version !== 1 || typeof sha256Hash !== 'string') return null;
    return this.memory.get(sha256Hash) ?? null;
  }

  async set(key: string, text: string): Promise<void> {
    const hash = hashOf(key);
    if (hash === null) return;
    if (text.length > TEXT_LENGTH_MAX || !this.mayBeStored(text)) {
      this.neverStored.set(hash, true);
      return;
    }
    this.memory.set(hash, text);
    await this.ask(() => this.redis.set(slotOf(hash), hash + text, 'EX', TTL_S));
  }

  /** A text of this hash was sent to this process, and will always have to be sent in full. */
  isNeverStored(hash: unknown): boolean {
    return typeof hash === 'string' && this.neverStored.has(hash);
  }

  async delete(key: string): Promise<boolean> {
    const hash = hashOf(key);
    if (hash === null) return false;
    this.memory.delete(hash);
    const stored = await this.ask(() => this.redis.get(slotOf(hash)));
    if (typeof stored !== 'string' || !stored.startsWith(hash)) return false;
    return (await this.ask(() => this.redis.del(slotOf(hash)))) === 1;
  }

  /** A failure is the same as not knowing: this is a cache, and the client has the text. */
  private async ask<T>(command: () => Promise<T>): Promise<T | undefined> {
    if (this.redis.status !== 'ready') return undefined;
    try {
      return await command();
    } catch {
      return undefined;
    }
  }
}

function hashOf(key: string): string | null {
  const hash = key.slice('apq:'.length);
  return /^[0-9a-f]{64}$/.test(hash) ? hash : null;
}

function slotOf(hash: string): string {
  return `apq:${hash.slice(0, 3)}`;
}
