import type { CodeCopyService } from '../../codes/code-copy.service.js';
import type { Id } from '../../platform/ids.js';
import { answered, type Redis } from '../../platform/redis/redis.js';
import { RedisScript } from '../../platform/redis/script.js';
import { campaignKey, keys } from './redemption.redis.js';

/** The use of a reversed redemption that was given back, as the transaction left its code. */
export interface ReturnedUse {
  readonly redemptionId: Id;
  readonly userId: Id;
  readonly digest: string;
  readonly codeVersion: number;
  readonly campaignId: Id;
  readonly campaignVersion: number;
  /** That its limit counted, by the tenant's clock. */
  readonly day: number;
}

type DoneMarker = Pick<ReturnedUse, 'redemptionId' | 'userId' | 'digest'>;

/**
 * Has Redis forget what it remembers of uses that were given back: the code's copy, that the user has redeemed it, and
 * limits that were found reached. Safe to repeat. What an idempotency key leads to stays: a key has one answer for ever.
 */
export class ReturnedUsesRedis {
  private readonly forgetScript: RedisScript;

  constructor(
    private readonly redis: Redis,
    private readonly copies: Pick<CodeCopyService, 'evict'>,
  ) {
    this.forgetScript = new RedisScript(redis, 'forget-marker');
  }

  async forget(tenantId: string, use: ReturnedUse): Promise<void> {
    const { userId, digest, codeVersion, day } = use;
    const campaign = campaignKey(use.campaignId, use.campaignVersion);
    const spent = [userId, `${userId}:${day}`, 'budget'].map((of) => keys.spent(tenantId, campaign, of));
    await Promise.all([
      this.copies.evict(tenantId, digest, codeVersion),
      this.forgetDone(tenantId, use),
      answered(this.redis.del(...spent)),
    ]);
  }

  /** A confirmation that comes late may set the marker after the use was given back. */
  async forgetDone(tenantId: string, { redemptionId, userId, digest }: DoneMarker): Promise<void> {
    await this.forgetScript.run([keys.done(tenantId, userId, digest)], [redemptionId]);
  }
}
