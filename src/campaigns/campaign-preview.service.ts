import type { Clock } from '../platform/clock.js';
import { parseInput } from '../platform/input.js';
import type { TenantService } from '../tenancy/tenant.service.js';
import { FIELD_REFUSALS, previewRuleInput } from './campaign-input.js';
import type { CampaignPorts, CodesPreview } from './campaign-ports.js';
import { assertTotals, type CampaignRuleChecks } from './campaign-rule-checks.js';
import { campaignWarnings, type WarningText } from './campaign-warnings.js';

export interface CampaignPreview {
  readonly codes: CodesPreview;
  readonly warnings: readonly WarningText[];
}

interface PreviewParts {
  readonly clock: Clock;
  readonly tenants: Pick<TenantService, 'assertCanIssue'>;
  readonly ruleChecks: CampaignRuleChecks;
  readonly ports: Pick<CampaignPorts, 'previewCodes'>;
}

/** Judges a campaign as its creation would, and makes nothing. */
export class CampaignPreviewService {
  constructor(private readonly its: PreviewParts) {}

  /** @throws DomainError one of {@link PREVIEW_CAMPAIGN_RULE_REFUSALS} */
  async preview(tenantId: string, input: unknown): Promise<CampaignPreview> {
    const { tenants, ruleChecks, ports, clock } = this.its;
    const { codeCount, ...wanted } = parseInput(previewRuleInput, input, FIELD_REFUSALS);
    assertTotals(wanted);
    await tenants.assertCanIssue(tenantId, codeCount);
    await ruleChecks.assertRule(tenantId, wanted.rule, codeCount);
    return {
      codes: await ports.previewCodes(tenantId, wanted.rule, codeCount),
      warnings: campaignWarnings(wanted, clock.nowMs()),
    };
  }
}
