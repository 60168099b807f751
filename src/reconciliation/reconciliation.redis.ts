import type { ChainableCommander } from 'ioredis';
import { VERSION_FLOOR_MS, codeKeys } from '../codes/code-copy.service.js';
import { olderAttemptsKey } from '../limits/rate-limit.service.js';
import { answered, asRedisFailure, type Redis } from '../platform/redis/redis.js';
import { redisNowMs, scanKeys, serverRuns } from '../platform/redis/redis-nodes.js';
import { RedisScript } from '../platform/redis/script.js';
import { keys as redemptionKeys } from '../redemption/claim/redemption.redis.js';
import type { TenantKey } from './drift.js';

/** A hint to Redis how much one step of a walk looks at: short enough not to block other commands. */
const STEP = 500;

/** As in `admit-attempt.lua`. */
const WINDOW_BUCKETS = 60;

/** Of all tenants; it expires when it is time to compensate. */
const COMPENSATED_KEY = 'compensated';

/** What a copy holds, in the order of FIELDS in `drop-copy.lua`. */
export const COPY_FIELDS = [
  'version',
  'id',
  'campaign_id',
  'batch_id',
  'status',
  'use_limit',
  'used',
  'starts_ms',
  'expires_ms',
  'assigned_user_id',
  'sole_user_id',
] as const;
/** A value each; "" for what is missing. */
export type HeldCopy = Readonly<Record<(typeof COPY_FIELDS)[number], string>>;

export interface HeldClaim {
  readonly claim: string | null;
  /** By which the sweeper finds it; null when it would not. */
  readonly entryMs: number | null;
}

/** Redis' side of the reconciliation: walks a tenant's keys, reads many of a kind at once, mends. */
export class ReconciliationRedis {
  private readonly dropScript: RedisScript;
  private readonly mendScript: RedisScript;
  private readonly forgetScript: RedisScript;

  constructor(private readonly redis: Redis) {
    this.dropScript = new RedisScript(redis, 'drop-copy');
    this.mendScript = new RedisScript(redis, 'mend-open-entry');
    this.forgetScript = new RedisScript(redis, 'forget-marker');
  }

  /** Which servers hold the data, as long as they run: another answer means that one was restarted or replaced. */
  async serverRun(): Promise<string> {
    return serverRuns(this.redis);
  }

  /** The server run for which compensation is done, until it is time again. */
  async compensatedRun(): Promise<string | null> {
    return answered(this.redis.get(COMPENSATED_KEY));
  }

  async noteCompensated(serverRun: string, forMs: number): Promise<void> {
    await answered(this.redis.set(COMPENSATED_KEY, serverRun, 'PX', forMs));
  }

  /** By the clock of the server that holds the tenant's keys. */
  async nowMs(tenantId: string): Promise<number> {
    return redisNowMs(this.redis, redemptionKeys.open(tenantId));
  }

  /** All keys of a tenant, or of all. A key that is there from beginning to end comes at least once. */
  async *keys(tenantId: string | null): AsyncGenerator<readonly TenantKey[]> {
    const pattern = `{${tenantId ?? '*'}}:*`;
    for await (const found of scanKeys(this.redis, pattern, STEP)) yield found.flatMap(parseKey);
  }

  /** The redemptions with an open claim of a code; as entries of the list of open claims. */
  async *claimEntries(tenantId: string, digest: string): AsyncGenerator<readonly string[]> {
    const key = redemptionKeys.claims(tenantId, digest);
    for await (const ids of walk(async (cursor) => this.redis.hscan(key, cursor, 'COUNT', STEP)))
      yield ids.map((redemptionId) => `${redemptionId}|${digest}`);
  }

  openEntries(tenantId: string): AsyncGenerator<readonly string[]> {
    return this.members(redemptionKeys.open(tenantId));
  }

  unknownDigests(tenantId: string): AsyncGenerator<readonly string[]> {
    return this.members(codeKeys.unknown(tenantId));
  }

  private members(key: string): AsyncGenerator<readonly string[]> {
    return walk(async (cursor) => this.redis.zscan(key, cursor, 'COUNT', STEP));
  }

  async copies(tenantId: string, digests: readonly string[]): Promise<HeldCopy[]> {
    const replies = await this.together((pipeline) => {
      for (const digest of digests) pipeline.hmget(codeKeys.copy(tenantId, digest), ...COPY_FIELDS);
    });
    return replies.map((reply) => {
      const values = reply as readonly (string | null)[];
      return Object.fromEntries(COPY_FIELDS.map((field, at) => [field, values[at] ?? ''])) as HeldCopy;
    });
  }

  async claims(
    tenantId: string,
    entries: readonly { readonly redemptionId: string; readonly digest: string; readonly entry: string }[],
  ): Promise<HeldClaim[]> {
    const replies = await this.together((pipeline) => {
      for (const { redemptionId, digest, entry } of entries) {
        pipeline.hget(redemptionKeys.claims(tenantId, digest), redemptionId);
        pipeline.zscore(redemptionKeys.open(tenantId), entry);
      }
    });
    return entries.map((_, at) => {
      const score = replies[2 * at + 1] as string | number | null;
      return {
        claim: replies[2 * at] as string | null,
        entryMs: score === null ? null : Number(score),
      };
    });
  }

  /** Texts by their keys, as {@link keys} names them; null for what has expired meanwhile. */
  async texts(tenantId: string, names: readonly string[]): Promise<(string | null)[]> {
    const replies = await this.together((pipeline) => {
      for (const name of names) pipeline.get(`{${tenantId}}:${name}`);
    });
    return replies as (string | null)[];
  }

  /** Until when these are believed to be no codes. */
  async unknownUntil(tenantId: string, digests: readonly string[]): Promise<(number | null)[]> {
    const replies = await this.together((pipeline) => {
      for (const digest of digests) pipeline.zscore(codeKeys.unknown(tenantId), digest);
    });
    return replies.map((reply) => (reply === null ? null : Number(reply)));
  }

  /** How many attempts a window holds at least: of the older ones, those in buckets that lie in it as a whole. */
  async attemptsWithin(key: string, lengthMs: number, nowMs: number): Promise<number> {
    const sinceMs = nowMs - lengthMs;
    const [newest, older] = await Promise.all([
      answered(this.redis.zcount(key, `(${sinceMs}`, '+inf')),
      answered(this.redis.hgetall(olderAttemptsKey(key))),
    ]);
    const inside = Object.entries(older).filter(([bucket]) => {
      const [length, number] = bucket.split(':').map(Number);
      return length === lengthMs && ((number ?? 0) * lengthMs) / WINDOW_BUCKETS > sinceMs;
    });
    return inside.reduce((sum, [, count]) => sum + Number(count), newest);
  }

  /** Drops a copy that still is as it was found. @param version of the row; null when there is none */
  async dropCopy(tenantId: string, digest: string, seen: HeldCopy, version: number | null): Promise<void> {
    const values = COPY_FIELDS.map((field) => seen[field]);
    await this.dropScript.run(
      [codeKeys.copy(tenantId, digest)],
      [version ?? '', VERSION_FLOOR_MS, ...values],
    );
  }

  async mendOpenEntry(tenantId: string, digest: string, redemptionId: string, entry: string): Promise<void> {
    const scriptKeys = [redemptionKeys.claims(tenantId, digest), redemptionKeys.open(tenantId)];
    await this.mendScript.run(scriptKeys, [redemptionId, entry]);
  }

  /** Drops a text that still is as it was found. */
  async forgetText(tenantId: string, name: string, seen: string): Promise<void> {
    await this.forgetScript.run([`{${tenantId}}:${name}`], [seen]);
  }

  private async together(fill: (pipeline: ChainableCommander) => void): Promise<unknown[]> {
    const pipeline = this.redis.pipeline();
    fill(pipeline);
    const replies = (await answered(pipeline.exec())) ?? [];
    return replies.map(([error, reply]) => {
      if (error !== null) throw asRedisFailure(error);
      return reply;
    });
  }
}

/** The names of a hash or a set with values, in pages. */
async function* walk(
  step: (cursor: string) => Promise<[cursor: string, elements: string[]]>,
): AsyncGenerator<readonly string[]> {
  for (let cursor = '0'; ;) {
    const [next, elements] = await answered(step(cursor));
    // Names and values in turn.
    const names = elements.filter((_, at) => at % 2 === 0);
    if (names.length > 0) yield names;
    if (next === '0') return;
    cursor = next;
  }
}

function parseKey(key: string): TenantKey[] {
  const [, tenantId, kind, rest = ''] = /^\{([^}]+)\}:(\w+)(?::(.*))?$/s.exec(key) ?? [];
  return tenantId === undefined || kind === undefined ? [] : [{ tenantId, kind, rest }];
}
