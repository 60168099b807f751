import type { UserService } from '../identity/users/user.service.js';
import type { Clock } from '../platform/clock.js';
import { parseInput } from '../platform/input.js';
import type { Id } from '../platform/ids.js';
import type { TenantService } from '../tenancy/tenant.service.js';
import { RuleConditions, type Judged } from './campaign-conditions.service.js';
import { FIELD_REFUSALS, previewRuleInput, type SampleWanted } from './campaign-input.js';
import type { CampaignPorts, CodesPreview } from './campaign-ports.js';
import type { CampaignRule } from './campaign-rule.js';
import { assertTotals, type CampaignRuleChecks } from './campaign-rule-checks.js';
import { assertWindow, windowOf } from './campaign-window.js';
import { campaignWarnings, type WarningText } from './campaign-warnings.js';

/** What one user of the sample would get. */
export interface SampledUser extends Judged {
  readonly userId: Id;
  readonly externalUserId: string;
}

export interface CampaignPreview {
  readonly codes: CodesPreview;
  readonly warnings: readonly WarningText[];
  /** Null where no sample was asked for. */
  readonly users: readonly SampledUser[] | null;
}

interface PreviewParts {
  readonly clock: Clock;
  readonly tenants: Pick<TenantService, 'assertCanIssue'>;
  readonly users: Pick<UserService, 'page'>;
  readonly ruleChecks: CampaignRuleChecks;
  readonly ports: Pick<CampaignPorts, 'previewCodes' | 'readFacts'>;
}

/** Judges a campaign as its creation would, and makes nothing. */
export class CampaignPreviewService {
  constructor(private readonly its: PreviewParts) {}

  /** @throws DomainError one of {@link PREVIEW_CAMPAIGN_RULE_REFUSALS} */
  async preview(tenantId: string, input: unknown): Promise<CampaignPreview> {
    const { tenants, ruleChecks, ports, clock } = this.its;
    const { codeCount, sample, ...wanted } = parseInput(previewRuleInput, input, FIELD_REFUSALS);
    assertTotals(wanted);
    const { timeZone } = await tenants.assertCanIssue(tenantId, codeCount);
    const window = windowOf(wanted, timeZone);
    assertWindow(window);
    await ruleChecks.assertRule(tenantId, wanted.rule, codeCount);
    return {
      codes: await ports.previewCodes(tenantId, wanted.rule, codeCount),
      warnings: campaignWarnings({ ...wanted, ...window }, clock.nowMs()),
      users: sample === null ? null : await this.sampled(tenantId, wanted.rule, sample, timeZone),
    };
  }

  /** The conditions for each user, by the facts of this moment or of another instant. */
  private async sampled(
    tenantId: string,
    rule: CampaignRule,
    { userIds, newest, at, ...where }: SampleWanted,
    timeZone: string,
  ): Promise<SampledUser[]> {
    const range = { offset: 0, size: userIds?.length ?? newest, isCounted: false };
    const { items } = await this.its.users.page(tenantId, { status: 'ACTIVE', ids: userIds }, range);
    if (items.length === 0) return [];
    const conditions = new RuleConditions(rule);
    const { facts, currencies } = conditions;
    const nowMs = at?.getTime() ?? this.its.clock.nowMs();
    const known = await this.its.ports.readFacts(
      tenantId,
      items.map(({ id }) => id),
      { ...where, facts, currencies, timeZone, nowMs },
    );
    return items.map(({ id, externalId }) => ({
      userId: id,
      externalUserId: externalId,
      ...conditions.judge(known.get(id) ?? {}),
    }));
  }
}
