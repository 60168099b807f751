import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { LRUCache } from 'lru-cache';
import { atMost } from '../../platform/cache-size.js';
import type { Clock } from '../../platform/clock.js';
import type { Logger } from '../../platform/observability/log.js';

/** Age at which a set is fetched again, in the background; requests go on with the old one. */
const FRESH_MS = 10 * 60_000;
/** Age up to which a set is used while it cannot be fetched again. */
const KEPT_MS = 24 * 60 * 60_000;
/** Shortest time between two fetches of one set, also after a failure. */
const FETCH_PAUSE_MS = 30_000;
const SETS_MAX = 1000;

interface KeySet {
  readonly url: string;
  find: JWTVerifyGetKey | null;
  fetchedMs: number;
  triedMs: number;
  underWay: Promise<void> | null;
}

interface Collaborators {
  readonly fetch: (url: string) => Promise<JSONWebKeySet>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The public keys of issuers. An unknown key id causes one fetch, and no more for a while: the sender of a token chooses its key id. */
export class JwksKeys {
  private readonly sets = new LRUCache<string, KeySet>({
    ...atMost(SETS_MAX),
    memoMethod: (url) => ({ url, find: null, fetchedMs: -Infinity, triedMs: -Infinity, underWay: null }),
  });

  constructor(private readonly its: Collaborators) {}

  /** Finds the key of a token by its `kid`. @throws JOSEError where there is none */
  of(url: string): JWTVerifyGetKey {
    const set = this.sets.memo(url);
    return async (header, token) => {
      const ageMs = this.its.clock.nowMs() - set.fetchedMs;
      if (ageMs > KEPT_MS) set.find = null;
      if (set.find === null) await this.refreshed(set);
      else if (ageMs > FRESH_MS) void this.refreshed(set);
      try {
        return await found(set, header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey) || !(await this.refreshed(set))) throw error;
        return found(set, header, token);
      }
    };
  }

  /** @returns whether it was asked for now; a fetch that is under way is shared */
  private async refreshed(set: KeySet): Promise<boolean> {
    if (set.underWay === null) {
      const nowMs = this.its.clock.nowMs();
      if (nowMs - set.triedMs < FETCH_PAUSE_MS) return false;
      set.triedMs = nowMs;
      set.underWay = this.fetched(set);
    }
    await set.underWay;
    return true;
  }

  /** A failure leaves what there is. */
  private async fetched(set: KeySet): Promise<void> {
    try {
      set.find = createLocalJWKSet(await this.its.fetch(set.url));
      set.fetchedMs = this.its.clock.nowMs();
    } catch (error) {
      this.its.log.warn({ err: error }, "The keys of a tenant's issuer could not be fetched.");
    } finally {
      set.underWay = null;
    }
  }
}

const found: (set: KeySet, ...of: Parameters<JWTVerifyGetKey>) => ReturnType<JWTVerifyGetKey> = async (
  { find },
  header,
  token,
) => {
  if (find === null) throw new errors.JWKSNoMatchingKey();
  return find(header, token);
};
