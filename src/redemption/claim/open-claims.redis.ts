import { StoreUnavailableError } from '../../platform/errors.js';
import type { Id } from '../../platform/ids.js';
import { answered, type Redis } from '../../platform/redis/redis.js';
import { RedisCluster } from '../../platform/redis/redis-cluster.js';
import { EndlessScan } from '../../platform/redis/redis-nodes.js';
import { RedisScript } from '../../platform/redis/script.js';
import { readStoredClaim } from './claim.js';
import { keys } from './redemption.redis.js';

/** What `{T}:open` tells of a claim. */
export interface OpenEntry {
  readonly redemptionId: Id;
  readonly digest: string;
  readonly deadlineMs: number;
}

export interface OverdueClaims {
  /** By Redis' clock, the only one that deadlines are judged by. */
  readonly nowMs: number;
  /** The longest overdue first. */
  readonly entries: readonly OpenEntry[];
}

/** What staff see of an open claim. */
export interface ShownClaim {
  readonly redemptionId: Id;
  readonly userId: Id;
  readonly claimedAt: Date;
  readonly deadline: Date;
}

export interface OverdueCount {
  readonly tenantId: string;
  readonly count: number;
}

/** Called for each tenant whose keys cannot be read. */
export type TenantFailed = (tenantId: string, error: unknown) => void;

/** Keys that one step of the walk over Redis looks at; a fraction of a millisecond of Redis' time. */
const WALK_KEYS = 2000;
const CLAIMS_KEY = /^\{([^}]+)\}:claims:(.+)$/;

/** The list of a tenant's open claims, as the sweeper reads and mends it. */
export class OpenClaimsRedis {
  private readonly overdueScript: RedisScript;
  private readonly dropScript: RedisScript;
  private readonly listScript: RedisScript;
  private readonly claimKeys: EndlessScan;

  constructor(private readonly redis: Redis) {
    this.claimKeys = new EndlessScan(redis, '{*}:claims:*', WALK_KEYS);
    this.overdueScript = new RedisScript(redis, 'overdue-claims');
    this.dropScript = new RedisScript(redis, 'drop-open-entries');
    this.listScript = new RedisScript(redis, 'list-open-claims');
  }

  /**
   * Which of these tenants have claims past their deadline. A script each, and all of them leave in one write.
   * A tenant whose list cannot be read has none, and is reported: in a cluster, one master may be away.
   * @throws StoreUnavailableError when the only Redis is away
   */
  async tenantsOverdue(tenantIds: readonly string[], failed: TenantFailed): Promise<OverdueCount[]> {
    const answers = await Promise.allSettled(
      tenantIds.map(async (tenantId) => ({ tenantId, count: await this.overdueCount(tenantId) })),
    );
    const isCluster = this.redis instanceof RedisCluster;
    return answers.flatMap((each, at) => {
      if (each.status === 'fulfilled') return each.value.count > 0 ? [each.value] : [];
      // All of these tenants may be on one master, and those behind them on others.
      if (!isCluster && each.reason instanceof StoreUnavailableError) throw each.reason;
      failed(tenantIds[at] ?? '', each.reason);
      return [];
    });
  }

  /** How many claims of a tenant are past their deadline. @throws StoreUnavailableError */
  async overdueCount(tenantId: string): Promise<number> {
    const [, count] = (await this.overdueScript.run([keys.open(tenantId)], [0, 0])) as [number, number];
    return count;
  }

  /** The open claims of a code. @throws StoreUnavailableError */
  async ofCode(tenantId: string, digest: string): Promise<ShownClaim[]> {
    const claims = await answered(this.redis.hgetall(keys.claims(tenantId, digest)));
    return Object.entries(claims).map(([redemptionId, text]) => {
      const { userId, claimedAtMs, deadlineMs } = readStoredClaim(redemptionId, text);
      return {
        redemptionId,
        userId,
        claimedAt: new Date(claimedAtMs),
        deadline: new Date(deadlineMs),
      };
    });
  }

  async overdue(tenantId: string, skip: number, limit: number): Promise<OverdueClaims> {
    const [nowMs, , ...flat] = (await this.overdueScript.run([keys.open(tenantId)], [skip, limit])) as [
      number,
      number,
      ...string[],
    ];
    const entries: OpenEntry[] = [];
    for (let at = 0; at < flat.length; at += 2) {
      const [redemptionId = '', digest = ''] = (flat[at] ?? '').split('|');
      entries.push({ redemptionId, digest, deadlineMs: Number(flat[at + 1]) });
    }
    return { nowMs, entries };
  }

  /** Drops those of these entries whose claims are gone. @returns how many */
  async dropGone(tenantId: string, entries: readonly OpenEntry[]): Promise<number> {
    if (entries.length === 0) return 0;
    const scriptKeys = [keys.open(tenantId), ...entries.map(({ digest }) => keys.claims(tenantId, digest))];
    const args = entries.flatMap(({ redemptionId, digest }) => [redemptionId, digest]);
    return (await this.dropScript.run(scriptKeys, args)) as number;
  }

  /**
   * One step of an endless walk over all keys: claims that the list has lost are listed again. A key that is no hash
   * of claims is reported, and the walk goes on.
   * @returns how many
   */
  async relist(failed: TenantFailed): Promise<number> {
    let added = 0;
    for (const key of await this.claimKeys.step()) {
      const [, tenantId, digest] = CLAIMS_KEY.exec(key) ?? [];
      if (tenantId === undefined || digest === undefined) continue;
      try {
        added += (await this.listScript.run([keys.open(tenantId), key], [digest])) as number;
      } catch (error) {
        failed(tenantId, error);
      }
    }
    return added;
  }
}
