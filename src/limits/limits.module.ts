import type { Config } from '../config.js';
import type { UserErasure } from '../identity/identity.module.js';
import type { PlatformServices } from '../platform/platform-services.js';
import type { ProductLineService } from '../tenancy/product-line.service.js';
import { FailedAttemptService } from './failed-attempts.service.js';
import { LimitsErasure } from './limits-erasure.redis.js';
import { LimitsRedis } from './limits.redis.js';
import { RateLimitChangeService } from './rate-limit-change.service.js';
import { RateLimitListService } from './rate-limit-list.service.js';
import { RateLimitUsageService } from './rate-limit-usage.service.js';
import { RateLimit } from './rate-limit.entity.js';
import { RateLimitResolver } from './rate-limit.resolver.js';
import { RateLimitService, type RateLimitSettings } from './rate-limit.service.js';
import { LIMITS_PERMISSIONS } from './limits.permissions.js';
import { WindowService } from './window.service.js';

interface Needs extends Pick<PlatformServices, 'orm' | 'readOrm' | 'redis' | 'clock' | 'transactions'> {
  readonly config: Config;
  readonly lines: ProductLineService;
  readonly userErasures: UserErasure[];
}

/** Limits of attempts: of product lines, of single callers at them, and lock-outs after failures. */
export const limits = {
  name: 'limits',
  entities: [RateLimit],
  resolvers: [RateLimitResolver],
  permissions: LIMITS_PERMISSIONS,
  compose: (its: Needs) => {
    const redis = new LimitsRedis(its.redis);
    its.userErasures.push(new LimitsErasure(its.redis, its.lines));
    const service = new RateLimitService(its.orm, its.lines, settingsOf(its.config));
    const rateLimitChanges = new RateLimitChangeService(its, its.lines, service, redis);
    const rateLimitList = new RateLimitListService(its.readOrm, its.lines, service);
    const rateLimitUsage = new RateLimitUsageService(its.lines, service, redis);
    return {
      services: {
        limits: service,
        rateLimitChanges,
        rateLimitUsage,
        failedAttempts: new FailedAttemptService(redis),
        windows: new WindowService(redis),
      },
      resolvers: [new RateLimitResolver(rateLimitUsage, rateLimitChanges, rateLimitList)],
    };
  },
};

function settingsOf(config: Config): RateLimitSettings {
  const caller = config.RATE_LIMIT_CALLER_SHARE_PERCENT;
  return {
    hour: config.RATE_LIMIT_DEFAULT_HOUR,
    day: config.RATE_LIMIT_DEFAULT_DAY,
    shares: { USER: caller, DEVICE: caller, IP: config.RATE_LIMIT_ADDRESS_SHARE_PERCENT },
    failuresFree: {
      USER: config.LOCKOUT_USER_FAILURES,
      DEVICE: config.LOCKOUT_DEVICE_FAILURES,
      IP: config.LOCKOUT_ADDRESS_FAILURES,
      TENANT: config.LOCKOUT_TENANT_FAILURES,
    },
    timeoutMs: config.STORE_TIMEOUT_MS,
  };
}
