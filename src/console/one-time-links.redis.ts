import { createHash, randomBytes } from 'node:crypto';
import type { Id } from '../platform/ids.js';
import { answered, type Redis } from '../platform/redis/redis.js';

/** Whom a link signs in. */
export interface LinkedStaff {
  readonly tenantId: string;
  readonly staffId: Id;
}

const FORM = /^rkl_[\w-]{43}$/;

/**
 * Tokens that sign a member of staff in once, without a password. The program makes them for the demo of an installation
 * with private servers, and nowhere else. Redis holds their digests.
 */
export class OneTimeLinks {
  constructor(private readonly redis: Redis) {}

  async create({ tenantId, staffId }: LinkedStaff, lifeS: number): Promise<string> {
    const token = `rkl_${randomBytes(32).toString('base64url')}`;
    await answered(this.redis.set(linkKey(token), `${tenantId}:${staffId}`, 'EX', lifeS));
    return token;
  }

  /**
   * Takes the token. Of any number of calls with one token a single one succeeds. A command may run twice, so the call
   * that took the token is known by its id.
   */
  async take(token: string, callId: Id): Promise<LinkedStaff | null> {
    if (!FORM.test(token)) return null;
    const link = await answered(this.redis.get(linkKey(token)));
    const remainingS = await answered(this.redis.ttl(linkKey(token)));
    if (link === null || remainingS <= 0) return null;
    const taken = `${linkKey(token)}:taken`;
    // It outlives the link, which therefore cannot be taken again.
    await answered(this.redis.set(taken, callId, 'EX', remainingS + 60, 'NX'));
    if ((await answered(this.redis.get(taken))) !== callId) return null;
    await answered(this.redis.del(linkKey(token)));
    const [tenantId = '', staffId = ''] = link.split(':');
    return { tenantId, staffId };
  }
}

const linkKey = (token: string): string =>
  `console:link:${createHash('sha256').update(token).digest('base64url')}`;
