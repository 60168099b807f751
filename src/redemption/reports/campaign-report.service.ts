import type { CampaignBudgets } from '../../campaigns/campaign-budgets.service.js';
import type { CampaignReader } from '../../campaigns/campaign-reader.service.js';
import type { BatchCounts, CodeCounts, StatusCount } from '../../codes/code-counts.service.js';
import type { Clock } from '../../platform/clock.js';
import type { Id } from '../../platform/ids.js';
import type { RedemptionCounts, RedemptionReader } from '../history/redemption-reader.js';
import type {
  CampaignFailures,
  RedemptionSeries,
  RedemptionSeriesReader,
} from './redemption-series.reader.js';
import { STEP_MS } from './series-points.js';

export interface CampaignReport extends CampaignFailures {
  readonly asOf: Date;
  readonly campaignId: Id;
  readonly redemptions: RedemptionCounts;
  readonly budgetUses: number;
  readonly usedUses: number;
  readonly budgetValue: string;
  readonly usedValue: string;
  readonly codes: readonly StatusCount[];
  readonly batches: BatchCounts;
  readonly days: RedemptionSeries;
}

export interface CampaignReportParts {
  readonly campaignReader: Pick<CampaignReader, 'read'>;
  readonly campaignBudgets: Pick<CampaignBudgets, 'used'>;
  readonly codeCounts: Pick<CodeCounts, 'byStatus' | 'batches'>;
  readonly redemptionReader: Pick<RedemptionReader, 'counts'>;
  readonly redemptionSeries: Pick<RedemptionSeriesReader, 'read' | 'failures'>;
  readonly clock: Clock;
}

/** All that a campaign has come to, from counters: at the same cost for ten codes and for ten million. */
export class CampaignReportService {
  constructor(private readonly its: CampaignReportParts) {}

  /** One read after the other, so that a report takes one connection. Null where there is no such campaign. */
  async of(tenantId: string, campaignId: Id, days: number): Promise<CampaignReport | null> {
    const { its } = this;
    const campaign = await its.campaignReader.read(tenantId, campaignId);
    if (campaign === null) return null;
    const nowMs = its.clock.nowMs();
    const { id, budgetUses, budgetValue } = campaign;
    const { uses: usedUses, value: usedValue } = await its.campaignBudgets.used(tenantId, campaign);
    const from = new Date(nowMs - (days - 1) * STEP_MS.DAY);
    const range = { step: 'DAY' as const, from, to: new Date(nowMs), campaignId: id };
    return {
      asOf: new Date(nowMs),
      campaignId: id,
      redemptions: await its.redemptionReader.counts(tenantId, id),
      budgetUses,
      usedUses,
      budgetValue,
      usedValue,
      codes: await its.codeCounts.byStatus(tenantId, id),
      batches: await its.codeCounts.batches(tenantId, id),
      ...(await its.redemptionSeries.failures(tenantId, id)),
      days: await its.redemptionSeries.read(tenantId, range),
    };
  }
}
