import type { FilterQuery, MikroORM } from '@mikro-orm/core';
import DataLoader from 'dataloader';
import { Campaign } from '../campaigns/campaign.entity.js';
import { isSet, present } from '../platform/assert.js';
import type { Id } from '../platform/ids.js';
import { databaseNowMs } from '../platform/database/database-clock.js';
import { tenantEm, type Em } from '../platform/database/orm.js';
import type { StateScope } from './code-clauses.js';
import { CodeBatch, GIVEN_UP, UNDER_WAY } from './code-batch.entity.js';
import {
  batchState,
  effectiveStatusOf,
  type BatchFacts,
  type CampaignFacts,
  type CodeFacts,
  type EffectiveStatus,
} from './effective-status.js';

const CAMPAIGN_FIELDS = ['id', 'status', 'startsAt', 'endsAt'] as const;
const BATCH_FIELDS = [
  'id',
  'campaignId',
  'status',
  'frozenAt',
  'voidedAt',
  'awaitsActivation',
  'extendedTo',
] as const;

type AskedCode = CodeFacts & { readonly tenantId: string; readonly campaignId: Id; readonly batchId: Id };

/** What codes come to at this instant, by the database's clock. */
export class EffectiveStatusService {
  /** Asked for at once, the codes of a page read their campaigns and batches once. */
  private readonly codes = new DataLoader(async (codes: readonly AskedCode[]) => this.judge(codes), {
    cache: false,
  });

  constructor(private readonly orm: MikroORM) {}

  async of(code: AskedCode): Promise<EffectiveStatus> {
    return this.codes.load(code);
  }

  /** What decides the state of all codes of the tenant, or of one campaign. */
  async scope(em: Em, campaignId: Id | null = null): Promise<StateScope> {
    const nowMs = await databaseNowMs(em);
    const ofCampaign = campaignId === null ? {} : { campaignId };
    const campaigns = await em.find(Campaign, campaignId === null ? {} : { id: campaignId }, {
      fields: CAMPAIGN_FIELDS,
      disableIdentityMap: true,
    });
    const special: FilterQuery<CodeBatch>[] = [
      { status: { $in: [...UNDER_WAY] } },
      // Batches that were given up have no codes left, once these are removed.
      { status: { $in: [...GIVEN_UP] }, generated: { $gt: 0 } },
      { frozenAt: { $ne: null } },
      { voidedAt: { $ne: null } },
      { awaitsActivation: true },
      { extendedTo: { $gt: new Date(nowMs) } },
    ];
    const batches: BatchFacts[] = await em.find(
      CodeBatch,
      { ...ofCampaign, $or: special },
      { fields: BATCH_FIELDS, disableIdentityMap: true },
    );
    const blockedBatches = batches.filter((batch) => batchState(batch) !== null);
    const extendedIds = batches.filter(({ extendedTo }) => isSet(extendedTo)).map(({ id }) => id);
    return { nowMs, campaigns, blockedBatches, extendedIds };
  }

  private async judge(codes: readonly AskedCode[]): Promise<EffectiveStatus[]> {
    const tenants = [...new Set(codes.map((code) => code.tenantId))];
    const facts = await Promise.all(
      tenants.map(async (tenantId) => {
        const own = codes.filter((code) => code.tenantId === tenantId);
        return [tenantId, await this.factsOf(tenantId, own)] as const;
      }),
    );
    const byTenant = new Map(facts);
    return codes.map((code) => {
      const { nowMs, batches, campaigns } = present(byTenant.get(code.tenantId), 'The facts of a tenant');
      const batch = present(batches.get(code.batchId), 'The batch of a code');
      const campaign = present(campaigns.get(code.campaignId), 'The campaign of a code');
      return effectiveStatusOf(code, batch, campaign, nowMs);
    });
  }

  private async factsOf(tenantId: string, codes: readonly AskedCode[]) {
    const em = tenantEm(this.orm, tenantId);
    const batchIds = [...new Set(codes.map((code) => code.batchId))];
    const campaignIds = [...new Set(codes.map((code) => code.campaignId))];
    const batches: BatchFacts[] = await em.find(
      CodeBatch,
      { id: { $in: batchIds } },
      { fields: BATCH_FIELDS, disableIdentityMap: true },
    );
    const campaigns: CampaignFacts[] = await em.find(
      Campaign,
      { id: { $in: campaignIds } },
      { fields: CAMPAIGN_FIELDS, disableIdentityMap: true },
    );
    return {
      nowMs: await databaseNowMs(em),
      batches: new Map(batches.map((batch) => [batch.id, batch])),
      campaigns: new Map(campaigns.map((campaign) => [campaign.id, campaign])),
    };
  }
}
