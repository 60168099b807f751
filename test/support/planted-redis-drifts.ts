import { keyDigest } from '../../src/platform/key-digest.js';
import { systemClock } from '../../src/platform/clock.js';
import { readStoredClaim } from '../../src/redemption/claim/claim.js';
import { openClaim } from './open-claim.js';
import type { PlantedDrift } from './planted-database-drifts.js';
import type { Scene } from './reconciliation.js';

/** What Redis holds wrongly. */
export const REDIS_DRIFTS: readonly (PlantedDrift & { readonly isMended: boolean })[] = [
  { kind: 'CLAIM_LEFT_OPEN', what: 'a confirm that never came', isMended: true, plant: leaveOpen },
  {
    kind: 'CLAIM_LEFT_OPEN',
    what: 'a release that never came',
    isMended: true,
    plant: async (s) => leaveOpen(s, 'tombstone'),
  },
  {
    kind: 'CLAIM_OVERDUE',
    what: 'a claim that stays open',
    isMended: true,
    plant: async (s) => {
      const { redemptionId, digest, key, stored } = await claimed(s);
      const { redis } = s.world.stores;
      const deadlineMs = systemClock.nowMs() - 61_000;
      await redis.hset(
        key,
        redemptionId,
        JSON.stringify({ ...(JSON.parse(stored) as object), claimedAtMs: deadlineMs - 15_000, deadlineMs }),
      );
      await redis.zadd(s.key('open'), deadlineMs, `${redemptionId}|${digest}`);
    },
  },
  {
    kind: 'CLAIM_WITHOUT_OPEN_ENTRY',
    what: 'a claim that the sweeper would not find',
    isMended: true,
    plant: async (s) => {
      const { redemptionId, digest } = await claimed(s);
      await s.world.stores.redis.zrem(s.key('open'), `${redemptionId}|${digest}`);
    },
  },
  {
    kind: 'CLAIM_WITHOUT_OPEN_ENTRY',
    what: 'a claim that the sweeper would find too late',
    isMended: true,
    plant: async (s) => {
      const { redemptionId, digest } = await claimed(s);
      await s.world.stores.redis.zincrby(s.key('open'), 3_600_000, `${redemptionId}|${digest}`);
    },
  },
  {
    kind: 'OPEN_ENTRY_WITHOUT_CLAIM',
    what: 'an entry that is left over',
    isMended: true,
    plant: async (s) => {
      const entry = `${s.world.services.ids.next()}|${s.idleCode.codeDigest}`;
      await s.world.stores.redis.zadd(s.key('open'), systemClock.nowMs() + 15_000, entry);
    },
  },
  {
    kind: 'CLAIM_UNREADABLE',
    what: 'a claim that is none',
    isMended: false,
    plant: async (s) => {
      const key = s.key(`claims:${s.idleCode.codeDigest}`);
      await s.world.stores.redis.hset(key, s.world.services.ids.next(), 'rubbish');
    },
  },
  {
    kind: 'COPY_AHEAD',
    what: 'a copy of what was never committed',
    isMended: true,
    plant: async (s) => void (await s.world.stores.redis.hset(copyKey(s), { version: 99, used: 2 })),
  },
  {
    kind: 'COPY_AHEAD',
    what: 'a version alone that keeps loads away',
    isMended: true,
    plant: async (s) =>
      void (await s.world.stores.redis.multi().del(copyKey(s)).hset(copyKey(s), 'version', 99).exec()),
  },
  {
    kind: 'COPY_BEHIND',
    what: 'a copy that missed a change',
    isMended: true,
    plant: async (s) =>
      s.sql('update code set version = version + 1, use_limit = 5 where tenant_id = ? and id = ?', [
        s.tenantId,
        s.codes[0].id,
      ]),
  },
  ...(
    ['used', 'use_limit', 'status', 'expires_ms', 'assigned_user_id', 'sole_user_id', 'batch_id'] as const
  ).map((field) => ({
    kind: 'COPY_DIFFERS',
    what: `a copy of another ${field}`,
    isMended: true,
    plant: async (s: Scene) => void (await s.world.stores.redis.hset(copyKey(s), field, '7')),
  })),
  {
    kind: 'COPY_WITHOUT_CODE',
    what: 'a copy of no code',
    isMended: true,
    plant: async (s) =>
      void (await s.world.stores.redis.copy(copyKey(s), s.key(`code:${'x'.repeat(43)}`), 'REPLACE')),
  },
  {
    kind: 'COPY_WITHOUT_CODE',
    what: 'a copy of a deleted code',
    isMended: true,
    plant: async (s) =>
      // Outside of the program, so its quota was not given back nor its version raised.
      Promise.all([
        s.sql('update code set deleted_at = now(3) where tenant_id = ? and id = ?', [
          s.tenantId,
          s.codes[0].id,
        ]),
        s.sql('update tenant set codes_issued = codes_issued - 1 where id = ?', [s.tenantId]),
      ]).then(() => undefined),
  },
  {
    kind: 'KEY_MARKER_MISMATCHED',
    what: 'a key that leads nowhere',
    isMended: true,
    plant: async (s) => setText(s, `key:${s.users[1]}:a:b`, `12345|${s.codes[0].codeDigest}`),
  },
  {
    kind: 'KEY_MARKER_MISMATCHED',
    what: "a key that leads to another user's redemption",
    isMended: true,
    plant: async (s) =>
      setText(
        s,
        `key:${s.users[1]}:${keyDigest(s.tenantId, s.users[1], 'key:a')}`,
        `${s.redemptions[0].id}|${s.codes[0].codeDigest}`,
      ),
  },
  {
    kind: 'KEY_MARKER_MISMATCHED',
    what: 'a key that leads to the redemption of another code',
    isMended: true,
    plant: async (s) =>
      setText(
        s,
        `key:${s.users[0]}:${keyDigest(s.tenantId, s.users[0], 'key:a')}`,
        `${s.redemptions[0].id}|${s.codes[1].codeDigest}`,
      ),
  },
  {
    kind: 'DONE_MARKER_WITHOUT_REDEMPTION',
    what: 'a user who has not redeemed the code',
    isMended: true,
    plant: async (s) => setText(s, `done:${s.users[1]}:${s.codes[0].codeDigest}`, s.redemptions[0].id),
  },
  {
    kind: 'CODE_WRONGLY_UNKNOWN',
    what: 'a code that was not found and is there',
    isMended: true,
    plant: async (s) =>
      void (await s.world.stores.redis.zadd(
        s.key('unknown'),
        systemClock.nowMs() + 60_000,
        s.idleCode.codeDigest,
      )),
  },
  {
    kind: 'RATE_WINDOW_OVER_LIMIT',
    what: 'a hundred and four attempts where a hundred are allowed',
    isMended: false,
    plant: async (s) => {
      const nowMs = systemClock.nowMs();
      const attempts = Array.from({ length: 100 }, (_, at) => [nowMs, `planted-${at}`]).flat();
      await s.world.stores.redis.zadd(s.key('rate:line:APP_A'), ...attempts);
    },
  },
  {
    kind: 'RATE_WINDOW_OVER_LIMIT',
    what: 'a user who has used more than a share of a product line',
    isMended: false,
    plant: async (s) => {
      const nowMs = systemClock.nowMs();
      const attempts = Array.from({ length: 20 }, (_, at) => [nowMs, `planted-${at}`]).flat();
      await s.world.stores.redis.zadd(s.key(`rate:user:APP_A:${s.users[0]}`), ...attempts);
    },
  },
];

const copyKey = (s: Scene): string => s.key(`code:${s.codes[0].codeDigest}`);

async function setText(s: Scene, name: string, text: string): Promise<void> {
  await s.world.stores.redis.set(s.key(name), text, 'PX', 600_000);
}

/** An open claim of the other user on the unredeemed code, as a process would hold it. */
async function claimed(s: Scene) {
  const claim = await openClaim(s.world, s, s.idleText, s.users[1]);
  const { redemptionId, digest } = claim;
  const key = s.key(`claims:${digest}`);
  const stored = (await s.world.stores.redis.hget(key, redemptionId)) ?? '';
  return { claim, redemptionId, digest, key, stored };
}

/** The process dies between the end of its transaction and the word to Redis. */
async function leaveOpen(s: Scene, how: 'commit' | 'tombstone' = 'commit'): Promise<void> {
  const { claim, redemptionId, digest, key, stored } = await claimed(s);
  const { groupCommit, aborts } = s.world.services;
  if (how === 'commit') await groupCommit.settle(claim);
  else await aborts.abort(s.tenantId, [{ claim, reason: 'DEADLINE_PASSED' }]);
  await s.world.stores.redis.hset(key, redemptionId, stored);
  const { deadlineMs } = readStoredClaim(redemptionId, stored);
  await s.world.stores.redis.zadd(s.key('open'), deadlineMs, `${redemptionId}|${digest}`);
}
