import { expect } from 'vitest';
import { copyOf } from '../../src/codes/code-copy.service.js';
import { Code } from '../../src/codes/code.entity.js';
import { RedisScript } from '../../src/platform/redis/script.js';
import { keyDigest } from '../../src/platform/key-digest.js';
import { claimText, newClaimText, type Claim } from '../../src/redemption/claim/claim.js';
import { keysOf } from './redis-keys.js';
import { emOf, type SeededTenant, type World } from './world.js';
import { readRewardRule } from '../../src/rewards/reward-rule.js';

/** Redis forgets everything of a tenant. */
export async function forget(world: World, tenantId: string): Promise<void> {
  const keys = await keysOf(world.stores.redis, `{${tenantId}}:*`);
  if (keys.length > 0) await world.stores.redis.del(keys);
}

/** A claim as a process would hold it, made by the real script, and not committed yet. */
export async function openClaim(
  world: World,
  tenant: SeededTenant,
  code: string,
  userId: string,
  key: string | null = null,
): Promise<Claim> {
  const { services, stores } = world;
  const { tenantId } = tenant;
  const idempotencyKey = key === null ? null : keyDigest(tenantId, userId, key);
  const digest = services.recognizer.digests(tenantId, services.recognizer.canonicalize(code) ?? '')[0] ?? '';
  const row = await emOf(world, tenantId).findOneOrFail(Code, { codeDigest: digest });
  await services.copies.store(tenantId, [copyOf(row)], await services.copies.epoch(tenantId));
  const campaign = await services.campaignReader.read(tenantId, row.campaignId);
  const redemptionId = services.ids.next();
  const snapshot = {
    userId,
    codeId: row.id,
    campaignId: row.campaignId,
    batchId: row.batchId,
    productCode: 'DEMO',
    deviceId: null,
    idempotencyKey,
    rewards: (campaign?.rule.rewardRules ?? []).map((rule, rewardNo) => ({
      rewardNo,
      rule: readRewardRule(rule),
    })),
  };
  const k = (name: string) => `{${tenantId}}:${name}`;
  const reply = (await new RedisScript(stores.redis, 'claim-code').run(
    [
      k(`code:${digest}`),
      k(`claims:${digest}`),
      k(`key:${userId}:${idempotencyKey ?? ''}`),
      k(`redemption_lock:${userId}:${digest}`),
      k(`done:${userId}:${digest}`),
      k('open'),
      k('spent:x'),
      k('spent:y'),
      k('spent:z'),
    ],
    [
      redemptionId,
      userId,
      digest,
      'token-of-test',
      newClaimText('token-of-test', snapshot),
      idempotencyKey === null ? '' : '1',
      '',
      15_000,
      10_000,
      86_400_000,
      '',
      '',
      '',
    ],
  )) as [string, number, string];
  expect(reply[0]).toBe('CLAIMED');
  return {
    ...snapshot,
    tenantId,
    redemptionId,
    digest,
    token: reply[2],
    claimedAtMs: reply[1],
    isDeferred: false,
  };
}

/** Puts a claim back into Redis, as left by a process that died before it confirmed or released it. */
export async function reopen({ stores }: World, claim: Claim, deadlineMs = 1): Promise<void> {
  const { tenantId, redemptionId, digest } = claim;
  await stores.redis.hset(`{${tenantId}}:claims:${digest}`, redemptionId, claimText(claim, deadlineMs));
  await stores.redis.zadd(`{${tenantId}}:open`, deadlineMs, `${redemptionId}|${digest}`);
}
