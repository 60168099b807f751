import { DEFERRED_DEADLINE_MS } from '../../config.js';
import type { Redis } from '../../platform/redis/redis.js';
import { RedisScript } from '../../platform/redis/script.js';
import { parseClaim, type Claim } from '../claim/claim.js';
import { keys, type AttemptKeys } from '../claim/redemption.redis.js';

/** Redis' side of redemptions that are settled later. */
export class PendingRedemptionsRedis {
  private readonly deferScript: RedisScript;
  private readonly findScript: RedisScript;

  constructor(redis: Redis) {
    this.deferScript = new RedisScript(redis, 'defer-claims');
    this.findScript = new RedisScript(redis, 'find-open-claim');
  }

  /**
   * From now on only their jobs settle these claims, until a deadline hours away; one tenant's.
   * @returns how many were open; the others are settled, or Redis has lost them
   */
  async defer(tenantId: string, claims: readonly Claim[]): Promise<number> {
    const scriptKeys = claims.flatMap(({ userId, digest, idempotencyKey }) => [
      keys.claims(tenantId, digest),
      keys.lock(tenantId, userId, digest),
      keys.marker(tenantId, userId, idempotencyKey),
    ]);
    const args = claims.flatMap(({ redemptionId, digest, token, idempotencyKey }) => [
      redemptionId,
      digest,
      token,
      idempotencyKey === null ? '' : '1',
    ]);
    const reply = await this.deferScript.run(
      [keys.open(tenantId), ...scriptKeys],
      [DEFERRED_DEADLINE_MS, ...args],
    );
    return Number(reply);
  }

  /** The open claim that a repeated call means, found without the database. */
  async openClaim(attempt: AttemptKeys): Promise<Claim | null> {
    for (const digest of attempt.digests) {
      const claim = await this.openClaimUnder(digest, attempt);
      if (claim !== null) return claim;
    }
    return null;
  }

  private async openClaimUnder(
    digest: string,
    { tenantId, userId, idempotencyKey }: AttemptKeys,
  ): Promise<Claim | null> {
    const found = (await this.findScript.run(
      [
        keys.marker(tenantId, userId, idempotencyKey),
        keys.lock(tenantId, userId, digest),
        keys.claims(tenantId, digest),
      ],
      [digest, idempotencyKey === null ? '' : '1'],
    )) as [] | [string, string];
    const [redemptionId, claim] = found;
    return redemptionId === undefined || claim === undefined
      ? null
      : parseClaim(tenantId, redemptionId, digest, claim);
  }
}
