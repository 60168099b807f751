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

  @Field(
    () => String,
    nullable("In the place of startsAt: the first day in the tenant's time zone, such as 2026-12-24."),
  )
  startsOn?: string | null;

  @Field(
    () => String,
    nullable("In the place of endsAt: the last day in the tenant's time zone on which codes are redeemed."),
  )
  lastDay?: string | null;

  @Field(() => Int, nullable('Redemptions that a user may make; 0 means unlimited.'))
  userLimitTotal?: number | null;

  @Field(
    () => Int,
    nullable("Redemptions that a user may make on one day of the tenant's time zone; 0 means unlimited."),
  )
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

@InputType({
  description: 'Users for whom the conditions of a rule are evaluated, and under what circumstances.',
})
export class RuleSampleInput {
  @Field(() => [ID], nullable('These users, up to 100; those that are not ACTIVE are left out.'))
  userIds?: string[] | null;

  @Field(() => Int, nullable('If no users are named: the newest ones, up to 100; missing means 10.'))
  newest?: number | null;

  @Field(() => String, nullable('The product line of the redemption; missing means none.'))
  productCode?: string | null;

  @Field(() => String, nullable('The device of the redemption; missing means none.'))
  deviceId?: string | null;

  @Field(() => InstantScalar, nullable('When the redemption is made; missing means now.'))
  at?: Date | null;

  @Field(() => ID, nullable('The campaign whose redemptions are counted; missing means a new one.'))
  campaignId?: string | null;
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

  @Field(() => RuleSampleInput, nullable('If given, `users` says what each of them would get.'))
  sample?: RuleSampleInput | null;
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
