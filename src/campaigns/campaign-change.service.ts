import type { EntityData } from '@mikro-orm/core';
import { DomainError } from '../platform/errors.js';
import { isId, type Id } from '../platform/ids.js';
import { parseInput } from '../platform/input.js';
import { changeRow, givenFields, type ExpectedVersion } from '../platform/database/change-row.js';
import { deleteRows } from '../platform/database/delete-rows.js';
import type { Em } from '../platform/database/orm.js';
import type { PlatformServices } from '../platform/platform-services.js';
import { campaignChanged } from './campaign-events.js';
import { CHANGEABLE_FIELD_REFUSALS, updateCampaignInput } from './campaign-input.js';
import { assertTotals, type CampaignRuleChecks } from './campaign-rule-checks.js';
import type { CampaignPorts } from './campaign-ports.js';
import { assertWindow, windowOf } from './campaign-window.js';
import { campaignWarnings, type WarningText } from './campaign-warnings.js';
import { Campaign, type CampaignStatus } from './campaign.entity.js';
import type {
  CampaignStateRefusal,
  DeleteCampaignRefusal,
  UpdateCampaignRefusal,
} from './campaign.errors.js';

interface Step {
  readonly from: readonly CampaignStatus[];
  readonly to: CampaignStatus;
  readonly refusal: CampaignStateRefusal;
}

/** DRAFT → ACTIVE ⇄ PAUSED → ENDED; what has ended stays so. */
const STEPS = {
  activate: { from: ['DRAFT'], to: 'ACTIVE', refusal: 'CAMPAIGN_NOT_DRAFT' },
  pause: { from: ['ACTIVE'], to: 'PAUSED', refusal: 'CAMPAIGN_NOT_ACTIVE' },
  resume: { from: ['PAUSED'], to: 'ACTIVE', refusal: 'CAMPAIGN_NOT_PAUSED' },
  end: { from: ['ACTIVE', 'PAUSED'], to: 'ENDED', refusal: 'CAMPAIGN_NOT_STARTED' },
} as const satisfies Record<string, Step>;
export type CampaignStep = keyof typeof STEPS;

interface Collaborators extends Pick<PlatformServices, 'clock' | 'transactions' | 'outbox'> {
  readonly ruleChecks: CampaignRuleChecks;
  readonly ports: Pick<CampaignPorts, 'voidCodes' | 'codesEnded' | 'changed'>;
}

/** Changes of campaigns by staff. Each raises the version, and tells of itself in its own transaction. */
export class CampaignChangeService {
  constructor(private readonly its: Collaborators) {}

  /** Takes one step of the campaign's life. @throws DomainError one of {@link CAMPAIGN_STATE_REFUSALS} */
  async step(tenantId: string, id: Id, name: CampaignStep): Promise<Campaign> {
    const { from, to, refusal } = STEPS[name];
    const decide = (campaign: Campaign) => {
      if (campaign.status === 'ENDED') refuse('CAMPAIGN_ENDED', 'The campaign has ended.');
      if (!from.some((status) => status === campaign.status)) {
        refuse(refusal, `The campaign is ${campaign.status}; it would have to be ${from.join(' or ')}.`);
      }
      return { status: to };
    };
    return this.change(tenantId, id, null, decide, async (em) => {
      if (to === 'ENDED') await this.its.ports.codesEnded(em, tenantId, id);
    });
  }

  /** Activates, and says what deserves a look. @throws DomainError as {@link step} */
  async activate(tenantId: string, id: Id): Promise<{ campaign: Campaign; warnings: WarningText[] }> {
    const campaign = await this.step(tenantId, id, 'activate');
    return { campaign, warnings: campaignWarnings(campaign, this.its.clock.nowMs()) };
  }

  /**
   * Changes name, window, limits, budget; of a DRAFT also the rule, which counts for codes that are made from then on.
   * @throws DomainError one of {@link UPDATE_CAMPAIGN_REFUSALS}
   */
  async update(tenantId: string, id: Id, input: unknown): Promise<Campaign> {
    const { startsAt, endsAt, startsOn, lastDay, expectedVersion, ...rest } = parseInput(
      updateCampaignInput,
      input,
      CHANGEABLE_FIELD_REFUSALS,
    );
    const given = givenFields(rest);
    // What a rule refers to is never taken away, so it may be looked at before the row is locked.
    if (given.rule !== undefined) await this.its.ruleChecks.assertRule(tenantId, given.rule, 0);
    return this.change(tenantId, id, expectedVersion, (campaign) => {
      if (campaign.status === 'ENDED') refuse('CAMPAIGN_ENDED', 'The campaign has ended.');
      if (given.rule !== undefined && campaign.status !== 'DRAFT')
        refuse('RULE_FROZEN', RULE_FROZEN, ['input', 'rule']);
      const changed = { ...campaign, ...given };
      if (TOTALED.some((field) => given[field] !== undefined)) assertTotals(changed);
      const asked = windowOf({ startsAt, endsAt, startsOn, lastDay }, campaign.timeZone);
      const window = {
        startsAt: asked.startsAt === undefined ? (campaign.startsAt ?? null) : asked.startsAt,
        endsAt: asked.endsAt === undefined ? (campaign.endsAt ?? null) : asked.endsAt,
      };
      assertWindow(window);
      return { ...given, ...window };
    });
  }

  /**
   * Throws a DRAFT away. It was never redeemed, so its codes are voided with it, and their quota is given back.
   * @throws DomainError one of {@link DELETE_CAMPAIGN_REFUSALS}
   */
  async delete(tenantId: string, id: Id, expected: ExpectedVersion): Promise<void> {
    const decide = (campaign: Campaign) => {
      if (campaign.status !== 'DRAFT') {
        const next = campaign.status === 'ENDED' ? 'It has ended already.' : 'End it instead.';
        refuse(
          'CAMPAIGN_NOT_DRAFT',
          `The campaign is ${campaign.status}; only a DRAFT can be deleted. ${next}`,
        );
      }
      return { deletedAt: new Date(this.its.clock.nowMs()) };
    };
    await this.change(tenantId, id, expected, decide, async (em) =>
      this.its.ports.voidCodes(em, tenantId, id),
    );
  }

  private async change(
    tenantId: string,
    id: Id,
    expected: ExpectedVersion,
    decide: (campaign: Campaign) => EntityData<Campaign>,
    within: (em: Em) => Promise<void> = async () => undefined,
  ): Promise<Campaign> {
    const changed = await this.its.transactions.run(tenantId, async (em) => {
      const where = { id, deletedAt: null };
      const row = isId(id) ? await changeRow(em, Campaign, where, expected, decide) : null;
      if (row === null) return refuse('CAMPAIGN_NOT_FOUND', 'The tenant has no campaign with this id.');
      const { before, after } = row;
      // What was redeemed while a limit was off was not counted: the counters are made again, from what was redeemed.
      const counters = { table: 'campaign_usage', prefix: { tenant_id: tenantId }, column: 'campaign_id' };
      if (isLimitAdded(before, after)) await deleteRows(em, { ...counters, ids: [id] });
      await within(em);
      this.its.outbox.append(em, tenantId, [campaignChanged(after)]);
      return after;
    });
    await this.its.ports.changed(tenantId);
    return changed;
  }
}

const RULE_FROZEN =
  'Codes of this campaign may be in circulation, so its rule cannot change. Create a new campaign for another rule.';

/** What the sums of `assertTotals` are made of. */
const TOTALED = ['rule', 'userLimitTotal', 'userLimitDay', 'budgetUses'] as const;

const LIMITS = ['userLimitTotal', 'userLimitDay', 'budgetUses', 'budgetValue'] as const;

function isLimitAdded(before: Campaign, after: Campaign): boolean {
  return LIMITS.some((limit) => Number(before[limit]) === 0 && Number(after[limit]) > 0);
}

function refuse(
  code: CampaignStateRefusal | UpdateCampaignRefusal | DeleteCampaignRefusal,
  message: string,
  field: readonly string[] = ['input', 'campaignId'],
): never {
  throw new DomainError(code, message, { field });
}
