import { Arg, Ctx, Query, Resolver } from 'type-graphql';
import { requireStaff } from '../graphql/auth.js';
import type { RequestContext } from '../graphql/context.js';
import { answer } from '../graphql/payload.js';
import { PreviewCampaignRuleInput } from './campaign-input.types.js';
import type { CampaignPreviewService, SampledUser } from './campaign-preview.service.js';
import { PreviewCampaignRulePayloadType } from './campaign-preview.types.js';

@Resolver()
export class CampaignPreviewResolver {
  constructor(private readonly previews: CampaignPreviewService) {}

  @Query(() => PreviewCampaignRulePayloadType, {
    description:
      'What a campaign would be: samples of its codes, how safe they would be from guesses, warnings, what each user of a sample would get; or why it would be refused. Saves nothing. For staff.',
  })
  async previewCampaignRule(
    @Arg('input', () => PreviewCampaignRuleInput) input: PreviewCampaignRuleInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => {
      const { users, ...preview } = await this.previews.preview(tenantId, input);
      return { ...preview, users: users?.map(shown) ?? null };
    });
  }
}

function shown({ faults, ...user }: SampledUser): object {
  return {
    ...user,
    faults: faults.map(({ rewardNo, fault: { text: message, position } }) => ({
      rewardNo,
      message,
      position,
    })),
  };
}
