import type { ConditionFault } from '../../campaigns/campaign-conditions.service.js';
import type { Campaign } from '../../campaigns/campaign.entity.js';
import type { Logger } from '../../platform/observability/log.js';
import { RareWarning } from '../../platform/observability/rare-warning.js';
import { CONDITION_FAILED } from '../reports/series-points.js';
import type { RefusalCounter } from '../reports/refusal-counter.js';
import type { RedemptionMetrics } from '../redemption.metrics.js';
import type { FaultNotes } from './reward-choice.js';

/**
 * Tells of conditions that could not be evaluated: a metric, a count in the report of the campaign, and a line in the
 * log now and then. What a preview meets is told to the caller of the preview alone.
 */
export class ConditionFaults implements FaultNotes {
  private readonly warning: RareWarning;

  constructor(
    log: Logger,
    private readonly counter: Pick<RefusalCounter, 'note'>,
    private readonly metrics: Pick<RedemptionMetrics, 'conditionFaults'>,
  ) {
    this.warning = new RareWarning(
      log,
      'A condition of a campaign could not be evaluated, and counts as false.',
    );
  }

  note(
    { id: campaignId }: Campaign,
    { tenantId, productCode, request }: Parameters<FaultNotes['note']>[1],
    faults: readonly ConditionFault[],
  ): void {
    if (request.isPreview === true) return;
    for (const { rewardNo, fault } of faults) {
      this.metrics.conditionFaults.inc({ of: rewardNo === null ? 'CAMPAIGN' : 'REWARD' });
      this.counter.note({ tenantId, campaignId, productCode, outcome: CONDITION_FAILED });
      this.warning.warn({ tenantId, campaignId, rewardNo, fault: fault.text });
    }
  }
}
