import {
  previewWindows,
  type AttemptCaller,
  type RateLimitService,
  type RateWindow,
} from '../limits/rate-limit.service.js';
import type { ProductLineService } from '../tenancy/product-line.service.js';
import { finding, type Check, type Finding, type RedisChecks, type TenantKey } from './drift.js';
import type { ReconciliationRedis } from './reconciliation.redis.js';

const CHECKS = [
  {
    kind: 'RATE_WINDOW_OVER_LIMIT',
    invariant: 'I8',
    means:
      'More attempts were admitted in a window than its limit allows; also for a while after a limit was lowered.',
    remedy:
      'Repair changes nothing: attempts expire from the window. Find out what writes to it, or raise the limit again.',
  },
] as const satisfies readonly Check[];

/** Whom the keys of single callers name. */
const CALLERS: Readonly<Record<string, keyof AttemptCaller>> = {
  user: 'userId',
  device: 'deviceId',
  ip: 'ip',
};

/** The windows of product lines, of single callers at them and of attempts at unknown ones, of attempts and of previews. */
export class WindowChecks implements RedisChecks {
  readonly name = 'rateWindows';
  readonly checks = CHECKS;
  readonly keyKinds = ['rate'];

  constructor(
    private readonly redis: ReconciliationRedis,
    private readonly lines: Pick<ProductLineService, 'find'>,
    private readonly limits: RateLimitService,
  ) {}

  async *pages(_tenantId: string, keys: readonly TenantKey[]): AsyncGenerator<readonly string[]> {
    yield keys.map(({ rest }) => rest);
  }

  async judge(tenantId: string, items: readonly string[]): Promise<Finding[]> {
    const nowMs = await this.redis.nowMs(tenantId);
    const found: Finding[] = [];
    for (const item of items) {
      for (const { key, limit, lengthMs } of await this.windowsOf(tenantId, item)) {
        const attempts = await this.redis.attemptsWithin(key, lengthMs, nowMs);
        if (attempts <= limit) continue;
        found.push(
          finding('RATE_WINDOW_OVER_LIMIT', item, { attempts, limit, lengthMs }, `${item}/${lengthMs}`),
        );
      }
    }
    return found;
  }

  /** `line:L`, `user:L:U` and the like, `unknown_line:U`; with `:preview` those of previews. */
  private async windowsOf(tenantId: string, item: string): Promise<RateWindow[]> {
    const isPreview = item.endsWith(':preview');
    const [kind = '', first = '', second] = item.replace(/:preview$/, '').split(':');
    const subject = decodeURIComponent(second ?? '');
    const windows =
      kind === 'unknown_line'
        ? this.limits.unknownLineWindows(tenantId, first)
        : await this.lineWindows(tenantId, first, { [CALLERS[kind] ?? 'userId']: subject || null });
    const own = windows.filter(({ key }) => key === `{${tenantId}}:rate:${item.replace(/:preview$/, '')}`);
    return isPreview ? previewWindows(own) : own;
  }

  private async lineWindows(tenantId: string, code: string, caller: AttemptCaller): Promise<RateWindow[]> {
    const line = await this.lines.find(tenantId, code);
    return line === null ? [] : this.limits.windows(line, caller);
  }

  async repair(): Promise<void> {
    // What was admitted was admitted.
  }
}
