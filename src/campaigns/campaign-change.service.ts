import { LockMode, type EntityData } from '@mikro-orm/core';
import { DomainError } from '../platform/errors.js';
import type { Id } from '../platform/ids.js';
import { parseInput } from '../platform/input.js';
import type { Em } from '../platform/orm/orm.js';
import type { Transactions } from '../platform/orm/transaction.js';
import type { Outbox } from '../platform/outbox/outbox.js';
import { campaignChanged } from './campaign-events.js';
import { CHANGEABLE_FIELD_REFUSALS, updateCampaignInput } from './campaign-input.js';
import { CampaignUsage } from './campaign-usage.entity.js';
import { Campaign, type CampaignStatus } from './campaign.entity.js';
import type { CampaignStateRefusal, UpdateCampaignRefusal } from './campaign.errors.js';

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

/** Where campaigns are copied to. Told after each commit; the outbox tells it again, should that fail. */
export interface CampaignCopies {
  changed(tenantId: string): Promise<void>;
}

/** Changes of campaigns by staff. Each raises the version, and tells of itself in its own transaction. */
export class CampaignChangeService {
  constructor(
    private readonly transactions: Transactions,
    private readonly outbox: Outbox,
    private readonly copies: CampaignCopies,
  ) {}

  /** Takes one step of the campaign's life. @throws DomainError one of {@link CAMPAIGN_STATE_REFUSALS} */
  async step(tenantId: string, id: Id, name: CampaignStep): Promise<Campaign> {
    const { from, to, refusal } = STEPS[name];
    return this.change(tenantId, id, (campaign) => {
      if (campaign.status === 'ENDED') refuse('CAMPAIGN_ENDED', 'The campaign has ended.');
      if (!from.some((status) => status === campaign.status)) {
        refuse(refusal, `The campaign is ${campaign.status}; it would have to be ${from.join(' or ')}.`);
      }
      return { status: to };
    });
  }

  /** Changes what may change: name, window, limits, budget. @throws DomainError one of {@link UPDATE_CAMPAIGN_REFUSALS} */
  async update(tenantId: string, id: Id, input: unknown): Promise<Campaign> {
    const { startsAt, endsAt, ...rest } = parseInput(updateCampaignInput, input, CHANGEABLE_FIELD_REFUSALS);
    const given = Object.fromEntries(
      Object.entries(rest).filter(([, value]) => value !== undefined && value !== null),
    );
    return this.change(tenantId, id, (campaign) => {
      if (campaign.status === 'ENDED') refuse('CAMPAIGN_ENDED', 'The campaign has ended.');
      const window = {
        startsAt: startsAt === undefined ? (campaign.startsAt ?? null) : startsAt,
        endsAt: endsAt === undefined ? (campaign.endsAt ?? null) : endsAt,
      };
      if (window.startsAt !== null && window.endsAt !== null && window.startsAt >= window.endsAt) {
        refuse('WINDOW_NOT_ALLOWED', 'The end must lie after the beginning.', ['input', 'endsAt']);
      }
      return { ...given, ...window };
    });
  }

  /** The row is locked before it is judged, so two changes at once are two changes one after the other. */
  private async change(
    tenantId: string,
    id: Id,
    decide: (campaign: Campaign) => EntityData<Campaign>,
  ): Promise<Campaign> {
    const changed = await this.transactions.run(tenantId, async (em) => {
      const campaign = await find(em, id, LockMode.PESSIMISTIC_WRITE);
      const version = campaign.version + 1;
      const change = decide(campaign);
      await em.nativeUpdate(Campaign, { id }, { ...change, version });
      // What was redeemed while a limit was off was not counted: the counters are made anew, from what was redeemed.
      if (isLimitAdded(campaign, change)) await em.nativeDelete(CampaignUsage, { campaignId: id });
      const after = await find(em, id, LockMode.NONE);
      await this.outbox.append(em, tenantId, [campaignChanged(after)]);
      return after;
    });
    await this.copies.changed(tenantId);
    return changed;
  }
}

async function find(em: Em, id: Id, lockMode: LockMode): Promise<Campaign> {
  const campaign = await em.findOne(Campaign, { id }, { disableIdentityMap: true, lockMode });
  return campaign ?? refuse('CAMPAIGN_NOT_FOUND', 'The tenant has no campaign with this id.');
}

const LIMITS = ['userLimitTotal', 'userLimitDay', 'budgetUses', 'budgetValue'] as const;

function isLimitAdded(before: Campaign, change: EntityData<Campaign>): boolean {
  return LIMITS.some((limit) => Number(before[limit]) === 0 && Number(change[limit] ?? 0) > 0);
}

function refuse(
  code: CampaignStateRefusal | UpdateCampaignRefusal,
  message: string,
  field: readonly string[] = ['input', 'campaignId'],
): never {
  throw new DomainError(code, message, { field });
}
