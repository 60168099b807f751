import type { CampaignService, CreatedCampaign } from '../campaigns/campaign.service.js';
import type { Campaign } from '../campaigns/campaign.entity.js';
import type { MikroORM } from '@mikro-orm/core';
import { present } from '../platform/assert.js';
import type { Id } from '../platform/ids.js';
import { UNKEYED } from '../platform/database/keyed-rows.js';
import { tenantEm } from '../platform/database/orm.js';
import { CodeBatch } from './code-batch.entity.js';
import { untilDistinct } from './code-chunk-writer.js';
import type { CodeGenerationService } from './code-generation.service.js';
import type { IssuedBatch } from './code-issuer.js';

export interface LaunchedCampaign {
  readonly campaign: Campaign;
  /** Null where no codes were asked for. */
  readonly batchId: Id | null;
  readonly codes: readonly string[] | null;
  readonly replayed: boolean;
}

/** Makes a campaign together with its first batch of codes: both stand, or neither. */
export class CampaignLaunchService {
  constructor(
    private readonly orm: MikroORM,
    private readonly campaigns: CampaignService,
    private readonly generation: CodeGenerationService,
  ) {}

  /** @throws DomainError as {@link CampaignService.create} */
  async create(tenantId: string, input: unknown): Promise<LaunchedCampaign> {
    let issued: IssuedBatch | null = null;
    const created = await untilDistinct(async (avoidTaken) =>
      this.campaigns.create(
        tenantId,
        input,
        async (em, campaign, { initialCodes: count, idempotencyKey }) => {
          const order = { campaign, count, ...UNKEYED, awaitsActivation: false, avoidTaken };
          issued = await this.generation.issue(em, order, idempotencyKey);
        },
      ),
    );
    return created.replayed ? this.repeat(created) : this.answer(created, issued);
  }

  private async answer({ campaign }: CreatedCampaign, issued: IssuedBatch | null): Promise<LaunchedCampaign> {
    if (issued === null) return { campaign, batchId: null, codes: null, replayed: false };
    const { batch, codes } = issued;
    await this.generation.announce(batch);
    return { campaign, batchId: batch.id, codes, replayed: false };
  }

  private async repeat({ campaign, wanted }: CreatedCampaign): Promise<LaunchedCampaign> {
    if (wanted.initialCodes === 0) return { campaign, batchId: null, codes: null, replayed: true };
    const { batch, codes } = await this.generation.repeat(
      await this.firstBatch(campaign),
      wanted.idempotencyKey,
    );
    return { campaign, batchId: batch.id, codes, replayed: true };
  }

  /** Made in the campaign's own transaction, so it is the oldest. */
  private async firstBatch(campaign: Campaign): Promise<CodeBatch> {
    const batch = await tenantEm(this.orm, campaign.tenantId).findOne(
      CodeBatch,
      { campaignId: campaign.id },
      { orderBy: { id: 'asc' }, disableIdentityMap: true },
    );
    return present(batch, 'The first batch of a campaign that has one');
  }
}
