import { GraphQLSafeInt } from 'graphql-scalars';
import { Field, Float, ID, Int, ObjectType } from 'type-graphql';
import { nullable } from '../graphql/nullable.js';
import { payloadType, TextPositionType } from '../graphql/payload-type.js';
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

@ObjectType('ConditionFault', {
  description:
    'A condition that cannot be evaluated for a user, for example because of a division by zero. It counts as false.',
})
class ConditionFaultType {
  @Field(() => Int, nullable('The place of the reward in the rule; null for the condition of the campaign.'))
  rewardNo!: number | null;

  @Field(() => String, { description: 'A sentence for people.' })
  message!: string;

  @Field(() => TextPositionType)
  position!: TextPositionType;
}

@ObjectType('RuleSampleUser', { description: 'What the conditions of a rule come to for one user.' })
class RuleSampleUserType {
  @Field(() => ID)
  userId!: string;

  @Field(() => String, { description: "The user's id in the tenant's own system." })
  externalUserId!: string;

  @Field(() => Boolean, { description: "Whether the campaign's condition lets the user redeem." })
  isEligible!: boolean;

  @Field(() => [Int], { description: 'The places of the rewards that the user would get, from 0.' })
  rewardNos!: number[];

  @Field(() => [ConditionFaultType])
  faults!: ConditionFaultType[];
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
    users: {
      type: () => [RuleSampleUserType],
      description: 'What each user of the sample would get; null where no sample was asked for.',
    },
  },
  { hasPosition: true },
);
