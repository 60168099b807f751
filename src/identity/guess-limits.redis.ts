import { createHash } from 'node:crypto';
import { StoreUnavailableError } from '../platform/errors.js';
import type { Id } from '../platform/ids.js';
import { isLoopback, networkOf } from '../platform/network-of.js';
import { answered, type Redis } from '../platform/redis/redis.js';
import { RedisScript } from '../platform/redis/script.js';

/** Failures per hour without a wait; further ones wait longer and longer, up to an hour. */
export interface GuessesFree {
  readonly account: number;
  readonly address: number;
}

/** The account whose secret is tried, and the origin of the attempt. */
export interface Guess {
  readonly id: Id;
  /** Names the account, whether it exists or not. */
  readonly tenantId: string;
  readonly account: string;
  readonly ip: string;
}

interface Subject {
  readonly key: string;
  readonly free: number;
}

/**
 * Waits after wrong passwords, codes and tokens, of an account and of a client's address. An account that does not exist
 * waits like one that does. Each subject is a key and a script of its own: addresses belong to no tenant.
 */
export class GuessLimits {
  private readonly admission: RedisScript;
  private readonly forgiveness: RedisScript;

  constructor(
    private readonly redis: Redis,
    private readonly free: GuessesFree,
  ) {
    this.admission = new RedisScript(redis, 'admit-guess');
    this.forgiveness = new RedisScript(redis, 'forgive-guess');
  }

  /**
   * Counts the attempt as a failure before it is checked.
   * @returns how long the caller has to wait, in milliseconds; 0 if the attempt may be checked
   * @throws StoreUnavailableError: without a count nothing may be tried
   */
  async admit(guess: Guess): Promise<number> {
    for (const { key, free } of this.subjectsOf(guess)) {
      const waitMs = Number(await this.admission.run([key], [guess.id, free]));
      if (waitMs === 0) continue;
      // It was not checked. Else a person whose account has to wait would lock out a whole office.
      if (key === accountKey(guess)) await this.forgiveAddress(guess);
      return waitMs;
    }
    return 0;
  }

  /**
   * The attempt was right: the failures of its account are forgotten, and its address gets it back. If Redis does not
   * answer, the attempt stays counted, and the sign-in succeeds.
   */
  async succeeded(guess: Guess): Promise<void> {
    await unlessAway(answered(this.redis.del(accountKey(guess))));
    await this.forgiveAddress(guess);
  }

  /** Account and address get an attempt back that fails before it is judged, such as one that is BUSY. */
  async judged<T>(guess: Guess, judgement: Promise<T>): Promise<T> {
    try {
      return await judgement;
    } catch (error) {
      await unlessAway(this.forgiveness.run([accountKey(guess)], [guess.id]));
      await this.forgiveAddress(guess);
      throw error;
    }
  }

  /** The address gets the attempt back, and the account does not. */
  async forgiveAddress({ id, ip }: Guess): Promise<void> {
    const address = addressKey(ip);
    if (address !== null) await unlessAway(this.forgiveness.run([address], [id]));
  }

  /** The address first: an address that has to wait does not lock out the account of another person. */
  private subjectsOf(guess: Guess): Subject[] {
    const address = addressKey(guess.ip);
    const account = { key: accountKey(guess), free: this.free.account };
    const all = address === null ? [account] : [{ key: address, free: this.free.address }, account];
    return all.filter(({ free }) => free > 0);
  }
}

async function unlessAway(step: Promise<unknown>): Promise<void> {
  await step.catch((error: unknown) => {
    if (!(error instanceof StoreUnavailableError)) throw error;
  });
}

/** No key holds an e-mail address. */
function accountKey({ tenantId, account }: Guess): string {
  const digest = createHash('sha256').update(account).digest('base64url').slice(0, 22);
  return `{${tenantId}}:guesses:${digest}`;
}

/** An address of this machine is a proxy's or an operator's, as in the limits of redemptions. */
function addressKey(ip: string): string | null {
  return ip === '' || isLoopback(ip) ? null : `guesses:ip:${networkOf(ip)}`;
}
