import { invariant } from '../platform/assert.js';
import { DomainError } from '../platform/errors.js';
import { argumentsDigest, parseInput } from '../platform/input.js';
import { keyDigest } from '../platform/key-digest.js';
import { insertNew, KeyTakenError } from '../platform/database/insert-new.js';
import { tenantEm, type Em } from '../platform/database/orm.js';
import type { PlatformServices } from '../platform/platform-services.js';
import type { Tenant } from '../tenancy/tenant.entity.js';
import type { TenantService } from '../tenancy/tenant.service.js';
import { campaignChanged } from './campaign-events.js';
import { createCampaignInput, FIELD_REFUSALS, type CampaignWanted } from './campaign-input.js';
import { assertTotals, type CampaignRuleChecks } from './campaign-rule-checks.js';
import { Campaign } from './campaign.entity.js';
import type { CreateCampaignRefusal } from './campaign.errors.js';

export interface CampaignCollaborators extends Pick<
  PlatformServices,
  'orm' | 'clock' | 'ids' | 'transactions' | 'outbox'
> {
  readonly tenants: TenantService;
  readonly ruleChecks: CampaignRuleChecks;
}

/** What belongs to the creation and shares its transaction: the first batch of codes. */
export type FirstBatch = (em: Em, campaign: Campaign, wanted: FirstCodes) => Promise<void>;

/** The key as the caller sent it: it opens the codes of a HASHED batch, and rows hold its digest only. */
export type FirstCodes = Pick<CampaignWanted, 'initialCodes' | 'idempotencyKey'>;

export interface CreatedCampaign {
  readonly campaign: Campaign;
  readonly wanted: FirstCodes;
  /** True where an earlier call with the same key made it. */
  readonly replayed: boolean;
}

/** Makes campaigns. */
export class CampaignService {
  constructor(private readonly its: CampaignCollaborators) {}

  /**
   * Makes a campaign in state DRAFT, once per idempotency key: a repeated call gets the same campaign,
   * whatever has become of tenant and plans since.
   *
   * @throws DomainError one of {@link CREATE_CAMPAIGN_REFUSALS}
   */
  async create(tenantId: string, input: unknown, firstBatch?: FirstBatch): Promise<CreatedCampaign> {
    const wanted = parseInput(createCampaignInput, input, FIELD_REFUSALS);
    invariant(
      wanted.initialCodes === 0 || firstBatch !== undefined,
      'Initial codes need a port that makes them.',
    );
    assertTotals(wanted);
    const digest = argumentsDigest(wanted);
    const known = await this.findByKey(tenantId, wanted, digest);
    if (known !== null) return known;
    try {
      const campaign = await this.make(tenantId, wanted, digest, firstBatch);
      return { campaign, wanted, replayed: false };
    } catch (error) {
      // Who loses against another call with the same key meets its row, or the quota that it has just used up.
      const isLost = error instanceof KeyTakenError || error instanceof DomainError;
      const winner = isLost ? await this.findByKey(tenantId, wanted, digest) : null;
      if (winner === null) throw error;
      return winner;
    }
  }

  private async make(
    tenantId: string,
    wanted: CampaignWanted,
    digest: string,
    firstBatch: FirstBatch | undefined,
  ): Promise<Campaign> {
    const tenant = await this.its.tenants.assertCanIssue(tenantId, wanted.initialCodes);
    await this.its.ruleChecks.assertRule(tenantId, wanted.rule, wanted.initialCodes);
    return this.its.transactions.run(tenantId, async (em) => {
      const campaign = await this.insert(em, tenant, wanted, digest);
      if (wanted.initialCodes > 0) await firstBatch?.(em, campaign, wanted);
      return campaign;
    });
  }

  private async insert(em: Em, tenant: Tenant, wanted: CampaignWanted, digest: string): Promise<Campaign> {
    const { initialCodes: _, idempotencyKey: key, ...columns } = wanted;
    const row = {
      ...columns,
      tenantId: tenant.id,
      id: this.its.ids.next(),
      tenantName: tenant.name,
      tenantType: tenant.type,
      status: 'DRAFT' as const,
      version: 1,
      idempotencyKey: key === null ? null : keyDigest(tenant.id, 'campaign', key),
      argumentsDigest: key === null ? null : digest,
      createdAt: new Date(this.its.clock.nowMs()),
      deletedAt: null,
    };
    const campaign = await insertNew(em, Campaign, row);
    this.its.outbox.append(em, tenant.id, [campaignChanged(campaign)]);
    return campaign;
  }

  private async findByKey(
    tenantId: string,
    wanted: CampaignWanted,
    digest: string,
  ): Promise<CreatedCampaign | null> {
    if (wanted.idempotencyKey === null) return null;
    const idempotencyKey = keyDigest(tenantId, 'campaign', wanted.idempotencyKey);
    const em = tenantEm(this.its.orm, tenantId);
    const campaign = await em.findOne(Campaign, { idempotencyKey }, { disableIdentityMap: true });
    if (campaign === null) return null;
    if (campaign.deletedAt) {
      refuse(
        'IDEMPOTENCY_KEY_REUSED',
        'The campaign that was made with this key has been deleted. Use a new key.',
        ['input', 'idempotencyKey'],
      );
    }
    if (campaign.argumentsDigest !== digest) {
      refuse('IDEMPOTENCY_KEY_REUSED', 'The idempotency key belongs to a call with other arguments.', [
        'input',
        'idempotencyKey',
      ]);
    }
    return { campaign, wanted, replayed: true };
  }
}

function refuse(code: CreateCampaignRefusal, message: string, field: readonly string[]): never {
  throw new DomainError(code, message, { field });
}
