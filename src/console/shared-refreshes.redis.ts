import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreUnavailableError } from '../platform/errors.js';
import type { Id } from '../platform/ids.js';
import { answered, type Redis } from '../platform/redis/redis.js';
import { seal, unseal } from '../platform/sealed-bytes.js';

/** How long the answer to a refresh token is repeated. */
const REPEATED_MS = 20_000;
/** How long a call waits for the answer of the call before it. */
const WAIT_MS = 5000;
const POLL_MS = 25;

/**
 * Answers calls with one refresh token alike for a few seconds. A browser sends the same cookie twice when two tabs open
 * at once, or when a page is reloaded before its answer; without this the second call would end the session, because a
 * refresh token works once. Later uses still end it. The answer is sealed under a key made from the token, so Redis
 * holds nothing that opens a session. Where Redis does not answer, the database decides alone.
 */
export class SharedRefreshes {
  constructor(private readonly redis: Redis) {}

  async run(token: string, callId: Id, refresh: () => Promise<string>): Promise<string> {
    const key = `console:refresh:${digest('key', token)}`;
    const known = await unlessAway(async () => this.firstOrKnown(key, callId));
    if (known === 'FIRST') return this.runFirst(key, token, refresh);
    const answer = known === null ? null : unseal(Buffer.from(known, 'base64'), digest('seal', token));
    return answer?.toString('utf8') ?? refresh();
  }

  /** @returns the sealed answer of the first call; null where that call failed or has not answered in time */
  private async firstOrKnown(key: string, callId: Id): Promise<string | null> {
    await answered(this.redis.set(key, callId, 'PX', REPEATED_MS, 'NX'));
    for (let waitedMs = 0; waitedMs < WAIT_MS; waitedMs += POLL_MS) {
      const value = await answered(this.redis.get(key));
      if (value === callId) return 'FIRST';
      // An id of another call: that call has not answered yet.
      if (value === null || !/^\d+$/.test(value)) return value;
      await sleep(POLL_MS);
    }
    return null;
  }

  private async runFirst(key: string, token: string, refresh: () => Promise<string>): Promise<string> {
    const answer = await refresh().catch(async (error: unknown) => {
      await unlessAway(async () => answered(this.redis.del(key)));
      throw error;
    });
    const sealed = seal(answer, digest('seal', token)).toString('base64');
    await unlessAway(async () => answered(this.redis.set(key, sealed, 'PX', REPEATED_MS)));
    return answer;
  }
}

const digest = (purpose: string, token: string): string =>
  createHash('sha256').update(`${purpose} ${token}`).digest('base64url');

async function unlessAway<T>(step: () => Promise<T>): Promise<T | null> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof StoreUnavailableError) return null;
    throw error;
  }
}
