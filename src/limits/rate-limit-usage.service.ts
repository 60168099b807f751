import { ReadCache } from '../platform/read-cache.js';
import type { ProductLine } from '../tenancy/product-line.entity.js';
import type { ProductLineService } from '../tenancy/product-line.service.js';
import type { LimitsRedis } from './limits.redis.js';
import type { AttemptCaller, LimitScope, RateLimitService, RateWindow } from './rate-limit.service.js';

export const RATE_LIMIT_WINDOWS = ['HOUR', 'DAY'] as const;
export type RateLimitWindowName = (typeof RATE_LIMIT_WINDOWS)[number];

const HOUR_MS = 3_600_000;

/** Which limits are asked for: a user sees the own ones alone, staff those of product lines and of any caller. */
export interface UsageWish {
  /** Null means all product lines. */
  readonly productCode: string | null;
  readonly caller: AttemptCaller;
  readonly isOwn: boolean;
}

export interface WindowUsage {
  readonly productCode: string;
  readonly scope: LimitScope;
  readonly window: RateLimitWindowName;
  readonly limit: number;
  readonly used: number;
  readonly remaining: number;
  readonly retryAfterMs: number;
}

export interface LockOutUsage {
  readonly scope: LimitScope;
  readonly failures: number;
  readonly failuresFree: number;
  readonly retryAfterMs: number;
}

export interface RateLimitReport {
  readonly windows: readonly WindowUsage[];
  readonly lockOuts: readonly LockOutUsage[];
}

/** How far limits are used up, and what is left. */
export class RateLimitUsageService {
  /** What subscribers of one process see is read once a second for all of them. */
  private readonly shared: ReadCache<RateLimitReport>;

  constructor(
    private readonly lines: ProductLineService,
    private readonly limits: RateLimitService,
    private readonly redis: LimitsRedis,
  ) {
    this.shared = new ReadCache(async (tenantId, key) => this.report(tenantId, JSON.parse(key) as UsageWish));
  }

  async report(tenantId: string, { productCode, caller, isOwn }: UsageWish): Promise<RateLimitReport> {
    const isShown = ({ scope }: { readonly scope?: LimitScope }): boolean => !isOwn || scope === 'USER';
    const found: { line: ProductLine; window: RateWindow }[] = [];
    for (const line of await this.linesOf(tenantId, productCode, isOwn))
      for (const window of await this.limits.windows(line, caller))
        if (isShown(window)) found.push({ line, window });
    const windows = found.map(({ window }) => window);
    const lockOuts = this.limits.lockOuts(tenantId, caller).filter(isShown);
    const used = await this.redis.used({ version: null, windows, lockOuts });
    return {
      windows: found.map(({ line, window }, at) => windowUsage(line, window, used[at])),
      lockOuts: lockOuts.map(({ scope, failuresFree }, at) => {
        const { count = 0, retryAfterMs = 0 } = used[windows.length + at] ?? {};
        return { scope, failures: count, failuresFree, retryAfterMs };
      }),
    };
  }

  /** The same, at most a second old. */
  async recent(tenantId: string, wish: UsageWish): Promise<RateLimitReport> {
    return (await this.shared.find(tenantId, JSON.stringify(wish))) ?? { windows: [], lockOuts: [] };
  }

  /** Users see active lines alone: a redemption at a disabled line is refused like one at a missing line. */
  private async linesOf(
    tenantId: string,
    productCode: string | null,
    isOwn: boolean,
  ): Promise<readonly ProductLine[]> {
    const named = productCode === null ? null : await this.lines.find(tenantId, productCode);
    const lines = productCode === null ? await this.lines.list(tenantId) : named === null ? [] : [named];
    return isOwn ? lines.filter(({ status }) => status === 'ACTIVE') : lines;
  }
}

function windowUsage(
  { code }: ProductLine,
  { scope, limit, lengthMs }: RateWindow,
  used: { readonly count: number; readonly retryAfterMs: number } = { count: 0, retryAfterMs: 0 },
): WindowUsage {
  return {
    productCode: code,
    scope: scope ?? 'PRODUCT_LINE',
    window: lengthMs === HOUR_MS ? 'HOUR' : 'DAY',
    limit,
    used: used.count,
    remaining: Math.max(0, limit - used.count),
    retryAfterMs: used.retryAfterMs,
  };
}
