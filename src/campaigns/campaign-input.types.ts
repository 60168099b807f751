import { Field, ID, InputType, Int } from 'type-graphql';
import { ExpectedVersionField } from '../graphql/expected-version.js';
import { nullable } from '../graphql/nullable.js';
import { DecimalScalar, InstantScalar } from '../graphql/scalars.js';
import { CampaignRuleInput } from './campaign-rule.types.js';
import type { CampaignStatus, CodeVisibility } from './campaign.entity.js';
import { CampaignStatusEnum, CodeVisibilityEnum } from './campaign.types.js';

@InputType()
abstract class CampaignTermsInput {
  @Field(() => InstantScalar, nullable('The first instant at which codes are redeemed.'))
  startsAt?: Date | null;

  @Field(() => InstantScalar, nullable('The first instant at which codes are no longer redeemed.'))
  endsAt?: Date | null;

  @Field(() => Int, nullable('Redemptions that a user may make; 0 means unlimited.'))
  userLimitTotal?: number | null;

  @Field(() => Int, nullable('Redemptions that a user may make on one UTC day; 0 means unlimited.'))
  userLimitDay?: number | null;

  @Field(() => Int, nullable('Redemptions that there may be; 0 means unlimited.'))
  budgetUses?: number | null;

  @Field(() => DecimalScalar, nullable('Sum of the values of rewards; 0 means unlimited.'))
  budgetValue?: string | null;
}

@InputType()
export class CreateCampaignInput extends CampaignTermsInput {
  @Field(() => String, { description: '1 to 64 characters.' })
  name!: string;

  @Field(() => CampaignRuleInput)
  rule!: CampaignRuleInput;

  @Field(() => CodeVisibilityEnum, nullable('Missing means VISIBLE.'))
  codeVisibility?: CodeVisibility | null;

  @Field(() => Int, nullable('Codes to make at once, 10,000 at most; missing means none.'))
  initialCodes?: number | null;

  @Field(() => String, {
    nullable: true,
    description: 'A repeated key answers the same campaign. If missing, the header idempotency-key is used.',
  })
  idempotencyKey?: string | null;
}

@InputType()
export class PreviewCampaignRuleInput extends CampaignTermsInput {
  @Field(() => CampaignRuleInput)
  rule!: CampaignRuleInput;

  @Field(
    () => Int,
    nullable('Codes that are planned, in any number of batches; missing means that it is not known.'),
  )
  codeCount?: number | null;
}

@InputType()
export class UpdateCampaignInput extends CampaignTermsInput {
  @Field(() => ID)
  campaignId!: string;

  @Field(() => String, nullable('1 to 64 characters.'))
  name?: string | null;

  @Field(() => CampaignRuleInput, {
    nullable: true,
    description: 'Replaces the whole rule, of a DRAFT only. Existing codes keep their format, end and uses.',
  })
  rule?: CampaignRuleInput | null;

  @ExpectedVersionField()
  expectedVersion?: number | null;
}

@InputType()
export class DeleteCampaignInput {
  @Field(() => ID)
  campaignId!: string;

  @ExpectedVersionField()
  expectedVersion?: number | null;
}

@InputType()
export class CampaignIdInput {
  @Field(() => ID)
  campaignId!: string;
}

@InputType()
export class CampaignFilterInput {
  @Field(() => CampaignStatusEnum, { nullable: true })
  status?: CampaignStatus | null;
}
