import { GraphQLSafeInt } from 'graphql-scalars';
import { Field, Float, ObjectType } from 'type-graphql';
import { payloadType } from '../graphql/payload-type.js';
import { PREVIEW_CAMPAIGN_RULE_REFUSALS } from './campaign.errors.js';
import { CampaignWarningType } from './campaign.types.js';

@ObjectType('CodesPreview', { description: 'Codes as a rule would make them.' })
class CodesPreviewType {
  @Field(() => [String], { description: 'Made up now; they are not stored and cannot be redeemed.' })
  samples!: string[];

  @Field(() => String, {
    description: 'How many different codes the format has; a whole number of any size.',
  })
  differentCodes!: string;

  @Field(() => GraphQLSafeInt, {
    description: 'Live codes of the tenant in formats that overlap with this one.',
  })
  liveBeside!: number;

  @Field(() => Float, {
    description: 'With the planned codes, one guess in this number would hit a live code.',
  })
  guessesPerHit!: number;

  @Field(() => Float, { description: 'The least that is allowed.' })
  guessesPerHitMin!: number;

  @Field(() => GraphQLSafeInt, {
    description: 'How many codes of this format are possible beside the live ones.',
  })
  codesPossible!: number;
}

export const PreviewCampaignRulePayloadType = payloadType(
  'PreviewCampaignRule',
  PREVIEW_CAMPAIGN_RULE_REFUSALS,
  {
    codes: { type: () => CodesPreviewType },
    warnings: {
      type: () => [CampaignWarningType],
      description: 'What a campaign with this rule would lack.',
    },
  },
);
