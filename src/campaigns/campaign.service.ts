import { invariant, present } from '../platform/assert.js';
import { DomainError } from '../platform/errors.js';
import { parseInput } from '../platform/input.js';
import { insertNew } from '../platform/database/insert-new.js';
import { callKeyOf, findKeyed, makeOnce, type CallKey } from '../platform/database/keyed-rows.js';
import { tenantEm, type Em } from '../platform/database/orm.js';
import type { PlatformServices } from '../platform/platform-services.js';
import type { Tenant } from '../tenancy/tenant.entity.js';
import type { DirectoryService } from '../tenancy/directory/directory.service.js';
import type { TenantService } from '../tenancy/tenant.service.js';
import { campaignChanged } from './campaign-events.js';
import {
  comparedArguments,
  createCampaignInput,
  FIELD_REFUSALS,
  type CampaignWanted,
} from './campaign-input.js';
import { assertWindow, windowOf } from './campaign-window.js';
import { assertTotals, type CampaignRuleChecks } from './campaign-rule-checks.js';
import { Campaign } from './campaign.entity.js';
import type { CreateCampaignRefusal } from './campaign.errors.js';

export interface CampaignCollaborators extends Pick<
  PlatformServices,
  'orm' | 'clock' | 'ids' | 'transactions' | 'outbox'
> {
  readonly tenants: TenantService;
  readonly directory: Pick<DirectoryService, 'confirm'>;
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
    const key = callKeyOf(tenantId, 'campaign', comparedArguments(wanted));
    return makeOnce(
      async () => this.replay(tenantId, wanted, key),
      async () => {
        const campaign = await this.make(tenantId, wanted, key, firstBatch);
        return { campaign, wanted, replayed: false };
      },
    );
  }

  private async make(
    tenantId: string,
    wanted: CampaignWanted,
    key: CallKey,
    firstBatch: FirstBatch | undefined,
  ): Promise<Campaign> {
    await this.its.directory.confirm(tenantId);
    const tenant = await this.its.tenants.assertCanIssue(tenantId, wanted.initialCodes);
    await this.its.ruleChecks.assertRule(tenantId, wanted.rule, wanted.initialCodes);
    return this.its.transactions.run(tenantId, async (em) => {
      const campaign = await this.insert(em, tenant, wanted, key);
      if (wanted.initialCodes > 0) await firstBatch?.(em, campaign, wanted);
      return this.describedNow(em, campaign);
    });
  }

  /** Last, under a lock of the tenant's row: a change of it that is committed by now has not met this campaign. */
  private async describedNow(em: Em, campaign: Campaign): Promise<Campaign> {
    const { tenantId, id, tenantName, tenantType, timeZone } = campaign;
    const tenant = present(await this.its.tenants.held(em, tenantId), 'The tenant');
    const now = { tenantName: tenant.name, tenantType: tenant.type, timeZone: tenant.timeZone };
    const isSame =
      now.tenantName === tenantName && now.tenantType === tenantType && now.timeZone === timeZone;
    if (isSame) return campaign;
    await em.nativeUpdate(Campaign, { tenantId, id }, now);
    return Object.assign(campaign, now);
  }

  private async insert(em: Em, tenant: Tenant, wanted: CampaignWanted, key: CallKey): Promise<Campaign> {
    const { initialCodes: _, startsOn: _start, lastDay: _last, ...columns } = wanted;
    const window = windowOf(wanted, tenant.timeZone);
    assertWindow(window);
    const row = {
      ...columns,
      ...window,
      ...key,
      tenantId: tenant.id,
      id: this.its.ids.next(),
      tenantName: tenant.name,
      tenantType: tenant.type,
      timeZone: tenant.timeZone,
      status: 'DRAFT' as const,
      version: 1,
      createdAt: new Date(this.its.clock.nowMs()),
      deletedAt: null,
    };
    const campaign = await insertNew(em, Campaign, row);
    this.its.outbox.append(em, tenant.id, [campaignChanged(campaign)]);
    return campaign;
  }

  private async replay(
    tenantId: string,
    wanted: CampaignWanted,
    key: CallKey,
  ): Promise<CreatedCampaign | null> {
    const campaign = await findKeyed(tenantEm(this.its.orm, tenantId), Campaign, key);
    if (campaign === null) return null;
    if (campaign.deletedAt) {
      refuse(
        'IDEMPOTENCY_KEY_REUSED',
        'The campaign that was made with this key has been deleted. Use a new key.',
        ['input', 'idempotencyKey'],
      );
    }
    return { campaign, wanted, replayed: true };
  }
}

function refuse(code: CreateCampaignRefusal, message: string, field: readonly string[]): never {
  throw new DomainError(code, message, { field });
}
