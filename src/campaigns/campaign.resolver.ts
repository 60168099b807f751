import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, ID, Info, Mutation, Query, Resolver } from 'type-graphql';
import { requireStaff } from '../graphql/auth.js';
import type { RequestContext } from '../graphql/context.js';
import { nullable } from '../graphql/nullable.js';
import { ListArgs, type ListPageOf } from '../graphql/page.js';
import { idempotencyKeyOf } from '../graphql/idempotency-key.js';
import { answer } from '../graphql/payload.js';
import { rangeOf } from '../graphql/selects.js';
import type { CampaignChangeService, CampaignStep } from './campaign-change.service.js';
import {
  CampaignFilterInput,
  CampaignIdInput,
  CreateCampaignInput,
  DeleteCampaignInput,
  UpdateCampaignInput,
} from './campaign-input.types.js';
import type { CampaignPorts } from './campaign-ports.js';
import type { CampaignReader } from './campaign-reader.service.js';
import {
  ActivateCampaignPayloadType,
  CampaignPageType,
  CampaignType,
  CreateCampaignPayloadType,
  DeleteCampaignPayloadType,
  EndCampaignPayloadType,
  PauseCampaignPayloadType,
  ResumeCampaignPayloadType,
  UpdateCampaignPayloadType,
} from './campaign.types.js';

@Resolver(() => CampaignType)
export class CampaignResolver {
  constructor(
    private readonly ports: Pick<CampaignPorts, 'create'>,
    private readonly changes: CampaignChangeService,
    private readonly reader: CampaignReader,
  ) {}

  @Mutation(() => CreateCampaignPayloadType, {
    description:
      'Makes a campaign in state DRAFT, with its first codes if asked for. For OWNER and OPERATOR.',
  })
  async createCampaign(
    @Arg('input', () => CreateCampaignInput) input: CreateCampaignInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => {
      const idempotencyKey = idempotencyKeyOf(context, input);
      return this.ports.create(tenantId, { ...input, idempotencyKey });
    });
  }

  @Mutation(() => UpdateCampaignPayloadType, {
    description:
      'Changes name, window, limits, budget, and of a DRAFT the rule; missing fields stay. For OWNER and OPERATOR.',
  })
  async updateCampaign(
    @Arg('input', () => UpdateCampaignInput) { campaignId, ...changes }: UpdateCampaignInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ campaign: await this.changes.update(tenantId, campaignId, changes) }));
  }

  @Mutation(() => DeleteCampaignPayloadType, {
    description:
      'Deletes a DRAFT. Its codes are voided, and their quota is given back. For OWNER and OPERATOR.',
  })
  async deleteCampaign(
    @Arg('input', () => DeleteCampaignInput) { campaignId, expectedVersion }: DeleteCampaignInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => {
      await this.changes.delete(tenantId, campaignId, expectedVersion);
      return { campaignId };
    });
  }

  @Mutation(() => ActivateCampaignPayloadType, {
    description: 'DRAFT becomes ACTIVE. For OWNER and OPERATOR.',
  })
  async activateCampaign(
    @Arg('input', () => CampaignIdInput) { campaignId }: CampaignIdInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => this.changes.activate(tenantId, campaignId));
  }

  @Mutation(() => PauseCampaignPayloadType, { description: 'ACTIVE becomes PAUSED. For OWNER and OPERATOR.' })
  async pauseCampaign(
    @Arg('input', () => CampaignIdInput) { campaignId }: CampaignIdInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    return this.step(context, campaignId, 'pause');
  }

  @Mutation(() => ResumeCampaignPayloadType, {
    description: 'PAUSED becomes ACTIVE. For OWNER and OPERATOR.',
  })
  async resumeCampaign(
    @Arg('input', () => CampaignIdInput) { campaignId }: CampaignIdInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    return this.step(context, campaignId, 'resume');
  }

  @Mutation(() => EndCampaignPayloadType, {
    description: 'ACTIVE or PAUSED becomes ENDED, which is final. For OWNER and OPERATOR.',
  })
  async endCampaign(
    @Arg('input', () => CampaignIdInput) { campaignId }: CampaignIdInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    return this.step(context, campaignId, 'end');
  }

  @Query(() => CampaignType, nullable('A campaign of the tenant. For staff.'))
  async campaign(
    @Arg('id', () => ID) id: string,
    @Ctx() context: RequestContext,
  ): Promise<CampaignType | null> {
    return this.reader.read(requireStaff(context).tenantId, id);
  }

  @Query(() => CampaignPageType, { description: 'The campaigns of the tenant, newest first. For staff.' })
  async campaigns(
    @Arg('filter', () => CampaignFilterInput, { nullable: true }) filter: CampaignFilterInput | null,
    @Args(() => ListArgs) page: ListArgs,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ListPageOf<CampaignType>> {
    return this.reader.page(requireStaff(context).tenantId, filter ?? {}, rangeOf(page, info));
  }

  private async step(context: RequestContext, campaignId: string, step: CampaignStep): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ campaign: await this.changes.step(tenantId, campaignId, step) }));
  }
}
