import type { MikroORM } from '@mikro-orm/core';
import { tenantEm } from '../../platform/database/orm.js';
import { filterBound, instantOf } from '../../platform/database/sql-values.js';
import type { Id } from '../../platform/ids.js';
import { isRedeemRefusal, type RedeemRefusal } from '../redemption.errors.js';
import {
  ALL_CAMPAIGNS,
  ALL_PRODUCTS,
  CONDITION_FAILED,
  startOf,
  STEP_MS,
  type SeriesStep,
} from './series-points.js';

export interface SeriesRange {
  readonly step: SeriesStep;
  /** The first point begins at or before it. */
  readonly from: Date;
  /** The last point begins before it. */
  readonly to: Date;
  /** Missing means all. */
  readonly campaignId?: Id | null | undefined;
  readonly productCode?: string | null | undefined;
}

export interface RefusalCount {
  readonly refusal: RedeemRefusal;
  readonly total: number;
}

export interface CampaignFailures {
  readonly refusals: readonly RefusalCount[];
  /** Conditions that could not be evaluated. */
  readonly conditionFaults: number;
}

export interface RefusalSeries extends RefusalCount {
  readonly counts: readonly number[];
}

/** Arrays of one length, one item for each step. */
export interface RedemptionSeries {
  readonly step: SeriesStep;
  readonly startsAt: readonly Date[];
  readonly committed: readonly number[];
  readonly reversed: readonly number[];
  readonly refused: readonly number[];
  /** The most frequent first. */
  readonly refusals: readonly RefusalSeries[];
  readonly isCounted: boolean;
}

interface Row {
  readonly startsAt: string;
  readonly outcome: string;
  readonly total: number;
}

const POINTS = `select starts_at as startsAt, outcome, cast(total as double) as total from redemption_series
  where tenant_id = ? and step = ? and campaign_id = ? and product_code = ? and starts_at >= ? and starts_at < ?`;

/** Reads counts over time: one range of an index, whatever the number of redemptions. */
export class RedemptionSeriesReader {
  /** @param orm where lists are read */
  constructor(private readonly orm: MikroORM) {}

  async read(
    tenantId: string,
    { step, from, to, campaignId, productCode }: SeriesRange,
  ): Promise<RedemptionSeries> {
    const em = tenantEm(this.orm, tenantId);
    const first = startOf(step, from.getTime()).getTime();
    const length = Math.max(0, Math.ceil((to.getTime() - first) / STEP_MS[step]));
    const end = new Date(first + length * STEP_MS[step]);
    const of = [tenantId, step, campaignId ?? ALL_CAMPAIGNS, productCode ?? ALL_PRODUCTS];
    const rows = await em.execute<Row[]>(POINTS, [...of, filterBound(new Date(first)), filterBound(end)]);
    const counts = new Map<string, number[]>();
    const countsOf = (outcome: string): number[] => {
      const known = counts.get(outcome) ?? Array.from({ length }, () => 0);
      counts.set(outcome, known);
      return known;
    };
    for (const { startsAt, outcome, total } of rows)
      countsOf(outcome)[Math.round((instantOf(startsAt).getTime() - first) / STEP_MS[step])] = total;
    const [committed, reversed] = [countsOf('COMMITTED'), countsOf('REVERSED')];
    const refusals = [...counts].flatMap(([refusal, own]) =>
      isRedeemRefusal(refusal) ? [{ refusal, counts: own, total: sumOf(own) }] : [],
    );
    return {
      step,
      startsAt: Array.from({ length }, (_, at) => new Date(first + at * STEP_MS[step])),
      committed,
      reversed,
      refused: Array.from({ length }, (_, at) => sumOf(refusals.map((each) => each.counts[at] ?? 0))),
      refusals: refusals.toSorted((a, b) => b.total - a.total),
      isCounted: await this.isCounted(tenantId),
    };
  }

  /** What came to nothing at any time: refusals by their reasons, the most frequent first, and failed conditions. */
  async failures(tenantId: string, campaignId: Id): Promise<CampaignFailures> {
    const rows = await tenantEm(this.orm, tenantId).execute<Omit<Row, 'startsAt'>[]>(
      `select outcome, cast(sum(total) as double) as total from redemption_series
        where tenant_id = ? and step = 'DAY' and campaign_id = ? and product_code = '' group by outcome`,
      [tenantId, campaignId],
    );
    const refusals = rows.flatMap(({ outcome: refusal, total }) =>
      isRedeemRefusal(refusal) ? [{ refusal, total }] : [],
    );
    const conditionFaults = rows.find(({ outcome }) => outcome === CONDITION_FAILED)?.total ?? 0;
    return { refusals: refusals.toSorted((a, b) => b.total - a.total), conditionFaults };
  }

  /** Whether a worker has counted what there was before there were series. */
  private async isCounted(tenantId: string): Promise<boolean> {
    const [row] = await tenantEm(this.orm, tenantId).execute<{ counted: number }[]>(
      `select exists (select 1 from redemption_series_cursor where tenant_id = ?)
          or not exists (select 1 from redemption_total where tenant_id = ?) as counted`,
      [tenantId, tenantId],
    );
    return row?.counted === 1;
  }
}

const sumOf = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);
