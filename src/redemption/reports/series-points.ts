import type { Counted } from '../../platform/database/insert-rows.js';
import type { Id } from '../../platform/ids.js';

export const SERIES_STEPS = ['MINUTE', 'HOUR', 'DAY'] as const;
export type SeriesStep = (typeof SERIES_STEPS)[number];

export const STEP_MS: Readonly<Record<SeriesStep, number>> = {
  MINUTE: 60_000,
  HOUR: 3_600_000,
  DAY: 86_400_000,
};

/** How long points are kept; those of days for good. */
export const KEPT_DAYS: Readonly<Record<Exclude<SeriesStep, 'DAY'>, number>> = { MINUTE: 2, HOUR: 400 };

export const ALL_CAMPAIGNS: Id = '0';
export const ALL_PRODUCTS = '';

/** The outcome of a condition that could not be evaluated; the attempt has another one besides. */
export const CONDITION_FAILED = 'CONDITION_FAILED';

/** Redemptions, or refusals, that are alike. */
export interface SeriesCount {
  readonly tenantId: string;
  /** Null where it is not known. */
  readonly campaignId: Id | null;
  readonly productCode: string | null;
  readonly atMs: number;
  readonly outcome: string;
  readonly total: number;
}

/** The begin of the minute, hour or day (UTC) of an instant. */
export function startOf(step: SeriesStep, ms: number): Date {
  return new Date(Math.floor(ms / STEP_MS[step]) * STEP_MS[step]);
}

/** Counts of the same minute in one: each makes twelve points. */
export function withinMinutes(counts: readonly SeriesCount[]): SeriesCount[] {
  const sums = new Map<string, SeriesCount>();
  for (const count of counts) {
    const { tenantId, campaignId, productCode, atMs, outcome, total } = count;
    const minute = Math.floor(atMs / STEP_MS.MINUTE);
    const key = `${tenantId} ${campaignId ?? ''} ${productCode ?? ''} ${minute} ${outcome}`;
    sums.set(key, { ...count, total: total + (sums.get(key)?.total ?? 0) });
  }
  return [...sums.values()];
}

/** The points that a count adds to: of its campaign and of all, of its product line and of all. */
export function pointsOf(count: SeriesCount, steps: readonly SeriesStep[] = SERIES_STEPS): Counted[] {
  const { tenantId, campaignId, productCode, atMs, outcome, total } = count;
  const campaigns = campaignId === null ? [ALL_CAMPAIGNS] : [campaignId, ALL_CAMPAIGNS];
  const products = productCode === null ? [ALL_PRODUCTS] : [productCode, ALL_PRODUCTS];
  return steps.flatMap((step) =>
    campaigns.flatMap((campaign) =>
      products.map((product) => ({
        tenant_id: tenantId,
        step,
        campaign_id: campaign,
        product_code: product,
        starts_at: startOf(step, atMs),
        outcome,
        total,
      })),
    ),
  );
}
