import type { MikroORM } from '@mikro-orm/core';
import { tenantEm } from '../platform/database/orm.js';
import type { ProductLineService } from '../tenancy/product-line.service.js';
import { SETTABLE_SCOPES, type SetLimits } from './rate-limit-change.service.js';
import { RateLimit } from './rate-limit.entity.js';
import type { RateLimitService } from './rate-limit.service.js';

/** Limits as they were set, and what they come to with the defaults; 0 means unlimited. */
export interface LimitsInForce extends SetLimits {
  readonly hourAllowed: number;
  readonly dayAllowed: number;
}

/** All limits that can be set, for those who set them. */
export class RateLimitListService {
  /** @param readOrm where lists are read */
  constructor(
    private readonly readOrm: MikroORM,
    private readonly lines: ProductLineService,
    private readonly limits: RateLimitService,
  ) {}

  /** Those of each product line and each kind of caller at it. A version of 0 says that they were never set. */
  async list(tenantId: string): Promise<LimitsInForce[]> {
    const em = tenantEm(this.readOrm, tenantId);
    const [lines, rows] = await Promise.all([
      this.lines.list(tenantId),
      em.find(RateLimit, {}, { disableIdentityMap: true }),
    ]);
    return lines.flatMap((line) => {
      const { code: productCode } = line;
      const whole = this.limits.allowedAt(line);
      return SETTABLE_SCOPES.map((scope) => {
        const isLine = scope === 'PRODUCT_LINE';
        const row = rows.find((each) => each.productCode === productCode && each.scope === scope);
        const { hourLimit = null, dayLimit = null, version = 0 } = isLine ? line : (row ?? {});
        const allowed = isLine ? whole : this.limits.shareOf(whole, scope, row);
        return {
          productCode,
          scope,
          hourLimit,
          dayLimit,
          version,
          hourAllowed: allowed.hour,
          dayAllowed: allowed.day,
        };
      });
    });
  }
}
