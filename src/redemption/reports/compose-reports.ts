import type { MikroORM } from '@mikro-orm/core';
import type { Clock } from '../../platform/clock.js';
import { AgedRows } from '../../platform/database/aged-rows.js';
import type { Transactions } from '../../platform/database/transaction.js';
import type { Logger } from '../../platform/observability/log.js';
import type { PublishedEvent } from '../../platform/outbox/published-event.js';
import type { IsOwn, PeriodicJob } from '../../platform/scheduling/job.js';
import { REDEMPTION_REVERSED, REDEMPTION_SETTLED } from '../../rewards/rewards-given.js';
import type { ProductLineService } from '../../tenancy/product-line.service.js';
import { CampaignReportResolver } from './campaign-report.resolver.js';
import { CampaignReportService, type CampaignReportParts } from './campaign-report.service.js';
import { RedemptionSeriesReader } from './redemption-series.reader.js';
import { RedemptionSeriesResolver } from './redemption-series.resolver.js';
import { RefusalCounter } from './refusal-counter.js';
import { SeriesCounter } from './series-counter.js';
import { KEPT_DAYS } from './series-points.js';
import { SeriesRecount } from './series-recount.js';

const BEGIN_EVERY_MS = 60_000;
const RETENTION_EVERY_MS = 600_000;

interface Needs extends Omit<CampaignReportParts, 'redemptionSeries' | 'clock'> {
  readonly orm: MikroORM;
  readonly readOrm: MikroORM;
  readonly clock: Clock;
  readonly log: Logger;
  readonly transactions: Transactions;
  readonly lines: ProductLineService;
}

/** Counts of redemptions over time: who counts them, and who reads them. */
export function composeReports(its: Needs) {
  const seriesRecount = new SeriesRecount(its, its.clock);
  const counter = new SeriesCounter(its, seriesRecount);
  const refusalCounter = new RefusalCounter(its);
  const redemptionSeries = new RedemptionSeriesReader(its.readOrm);
  const handle = async (tenantId: string, events: readonly PublishedEvent[]): Promise<void> =>
    counter.handle(tenantId, events);
  const campaignReport = new CampaignReportService({ ...its, redemptionSeries });
  return {
    refusalCounter,
    services: { seriesRecount, refusalCounter, redemptionSeries, campaignReport },
    resolvers: [
      new RedemptionSeriesResolver(redemptionSeries, its.clock),
      new CampaignReportResolver(campaignReport),
    ],
    consumers: [{ name: 'redemption_series', types: [REDEMPTION_SETTLED, REDEMPTION_REVERSED], handle }],
    jobs: jobsOf(its, seriesRecount),
  };
}

function jobsOf({ orm, log }: Needs, seriesRecount: SeriesRecount): PeriodicJob[] {
  const begin = async (signal?: AbortSignal): Promise<void> => {
    const begun = await seriesRecount.beginAll(signal);
    if (begun > 0) log.info({ tenants: begun }, 'redemptions from before were counted over time');
  };
  const aged = (['MINUTE', 'HOUR'] as const).map(
    (step) =>
      new AgedRows(orm, {
        table: 'redemption_series',
        column: 'starts_at',
        keptDays: KEPT_DAYS[step],
        where: `step = '${step}'`,
      }),
  );
  const prune = async (signal?: AbortSignal, isOwn?: IsOwn): Promise<void> => {
    for (const rows of aged) await rows.prune(signal, isOwn);
  };
  return [
    { name: 'redemption series', everyMs: BEGIN_EVERY_MS, where: 'IN_EACH', run: begin },
    {
      name: 'redemption series retention',
      everyMs: RETENTION_EVERY_MS,
      where: 'IN_EACH',
      keeps: [
        { what: 'Redemptions of each minute', days: KEPT_DAYS.MINUTE },
        { what: 'Redemptions of each hour', days: KEPT_DAYS.HOUR },
      ],
      run: prune,
    },
  ];
}
