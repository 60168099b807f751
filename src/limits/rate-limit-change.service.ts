import { z } from 'zod';
import { changeRow, VERSION_REFUSALS, type ExpectedVersion } from '../platform/database/change-row.js';
import { insertNew } from '../platform/database/insert-new.js';
import { DomainError } from '../platform/errors.js';
import { countNumber, orElse, parseInput } from '../platform/input.js';
import type { PlatformServices } from '../platform/platform-services.js';
import type { ProductLineService } from '../tenancy/product-line.service.js';
import type { LimitsRedis } from './limits.redis.js';
import { CALLER_SCOPES, RateLimit } from './rate-limit.entity.js';
import type { RateLimitService } from './rate-limit.service.js';

/** Whose limits can be set. */
export const SETTABLE_SCOPES = ['PRODUCT_LINE', ...CALLER_SCOPES] as const;
export type SettableScope = (typeof SETTABLE_SCOPES)[number];

export const SET_RATE_LIMIT_REFUSALS = [
  'LIMIT_OUT_OF_RANGE',
  'INPUT_NOT_ALLOWED',
  'PRODUCT_LINE_NOT_FOUND',
  ...VERSION_REFUSALS,
] as const;
type SetRateLimitRefusal = (typeof SET_RATE_LIMIT_REFUSALS)[number];

/** Attempts that a window admits; 0 means any number, null the default. */
const limitNumber = orElse(countNumber(0, 2_147_483_647), null);
const setRateLimitInput = z.strictObject({
  productCode: z.string(),
  scope: z.enum(SETTABLE_SCOPES),
  hourLimit: limitNumber,
  dayLimit: limitNumber,
  /** 0 of limits of callers that were never set. */
  expectedVersion: countNumber(0).nullish(),
});

/** Limits as they were set; null means the default. */
export interface SetLimits {
  readonly productCode: string;
  readonly scope: SettableScope;
  readonly hourLimit: number | null;
  readonly dayLimit: number | null;
  readonly version: number;
}

type Values = Pick<SetLimits, 'hourLimit' | 'dayLimit'>;

/** Sets limits while the program runs. */
export class RateLimitChangeService {
  constructor(
    private readonly its: Pick<PlatformServices, 'transactions' | 'clock'>,
    private readonly lines: ProductLineService,
    private readonly limits: RateLimitService,
    private readonly redis: LimitsRedis,
  ) {}

  /**
   * Sets what one product line, or a single caller at it, may use. When it has returned, every process goes by it.
   * @throws DomainError one of {@link SET_RATE_LIMIT_REFUSALS}
   */
  async set(tenantId: string, input: unknown): Promise<SetLimits> {
    const wanted = parseInput<typeof setRateLimitInput, SetRateLimitRefusal>(setRateLimitInput, input, {
      input: 'INPUT_NOT_ALLOWED',
      hourLimit: 'LIMIT_OUT_OF_RANGE',
      dayLimit: 'LIMIT_OUT_OF_RANGE',
    });
    const { productCode, scope, hourLimit, dayLimit, expectedVersion: expected } = wanted;
    const values = { hourLimit, dayLimit };
    await this.requireLine(tenantId, productCode);
    const row =
      scope === 'PRODUCT_LINE'
        ? await this.lines.update(tenantId, productCode, { ...values, expectedVersion: expected })
        : await this.setForCaller(tenantId, { productCode, scope }, values, expected);
    // After the commit: a process that reads the rows because of this finds them changed.
    this.limits.changed(tenantId, await this.redis.changed(tenantId));
    return { productCode, scope, ...values, version: row.version };
  }

  private async requireLine(tenantId: string, productCode: string): Promise<void> {
    if ((await this.lines.missing(tenantId, [productCode])).length === 0) return;
    const refusal: SetRateLimitRefusal = 'PRODUCT_LINE_NOT_FOUND';
    const message = `The tenant has no product line ${JSON.stringify(productCode)}.`;
    throw new DomainError(refusal, message, { field: ['input', 'productCode'] });
  }

  private async setForCaller(
    tenantId: string,
    where: Pick<RateLimit, 'productCode' | 'scope'>,
    values: Values,
    expected: ExpectedVersion,
  ): Promise<RateLimit> {
    const updatedAt = new Date(this.its.clock.nowMs());
    const changed = await this.its.transactions.run(tenantId, async (em) =>
      changeRow(em, RateLimit, where, expected, () => ({ ...values, updatedAt })),
    );
    if (changed !== null) return changed.after;
    if (expected !== null && expected !== undefined && expected !== 0)
      throw conflict('Its limits were never set, so it is at no version.');
    const row = { ...where, ...values, tenantId, version: 1, updatedAt };
    return this.its.transactions.run(tenantId, async (em) =>
      insertNew(em, RateLimit, row, () => conflict('It was set by someone else in this moment.')),
    );
  }
}

function conflict(what: string): DomainError {
  const [code] = VERSION_REFUSALS;
  return new DomainError(code, `${what} Read the limits again, then repeat the change.`, {
    field: ['input', 'expectedVersion'],
  });
}
