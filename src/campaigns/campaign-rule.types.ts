import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { enumFromValues } from '../graphql/enums.js';
import { nullable } from '../graphql/nullable.js';
import { DecimalScalar } from '../graphql/scalars.js';
import { REWARD_TYPES, type RewardType } from '../rewards/reward-rule.js';
import { TIME_UNIT_DESCRIPTION, TIME_UNITS, type TimeUnit } from '../rewards/time-unit.js';
import { CODE_TYPES } from './campaign-rule.js';

const CodeTypeEnum = enumFromValues('CodeType', [...CODE_TYPES, 'RANDOM_ALPHANUM'], 'What codes look like.', {
  RANDOM_NUM: 'Digits.',
  ALPHANUM: 'Letters and digits without look-alikes.',
  UUID: 'A random UUID.',
  PATTERN: 'By a pattern such as SUMMER-####-####.',
  RANDOM_ALPHANUM: 'Another name of ALPHANUM.',
});
const RewardTypeEnum = enumFromValues('RewardType', REWARD_TYPES, 'The kind of a reward.');
const TARGET =
  'For a SUBSCRIPTION the plan, for a COUPON its template, for a BALANCE the facility; "0" for POINTS.';
const LANGUAGE =
  'An expression of CEL over the facts of a redemption, such as `"vip" in userTags && hour >= 18`; docs/conditions.md lists them.';
const WHEN_REWARD = `Given only where this holds; where there is a condition, too, both must hold. ${LANGUAGE}`;
const WHEN_CAMPAIGN = `Who may redeem; others are refused with USER_NOT_ELIGIBLE. ${LANGUAGE}`;
const TimeUnitEnum = enumFromValues('TimeUnit', TIME_UNITS, TIME_UNIT_DESCRIPTION);

@ObjectType('RewardCondition')
@InputType('RewardConditionInput')
export class RewardConditionType {
  @Field(() => String, { description: 'Given only to users with this tag.' })
  userTag!: string;
}

@ObjectType('RewardRule', { description: 'One reward of a campaign.' })
export class RewardRuleType {
  @Field(() => RewardTypeEnum)
  type!: RewardType;

  @Field(() => ID, { name: 'targetId', description: TARGET })
  id!: string;

  @Field(() => TimeUnitEnum, nullable("For a SUBSCRIPTION; null means the plan's unit."))
  unit?: TimeUnit | null;

  @Field(() => Int)
  quantity!: number;

  @Field(() => DecimalScalar, { description: "Its value in the campaign's budget." })
  value!: string;

  @Field(() => RewardConditionType, nullable('Null means for every user.'))
  condition?: RewardConditionType | null;

  @Field(() => String, nullable(WHEN_REWARD))
  when?: string | null | undefined;

  @Field(() => DecimalScalar, nullable('For POINTS and BALANCE: how much is given.'))
  amount?: string | null | undefined;

  @Field(() => String, nullable('For a BALANCE: the code of the currency.'))
  currency?: string | null | undefined;

  @Field(() => Int, nullable('For POINTS: days until they expire; null means never.'))
  validDays?: number | null | undefined;
}

@ObjectType('CampaignRule', { description: "The format of a campaign's codes, and their rewards." })
export class CampaignRuleType {
  @Field(() => String)
  ruleId!: string;

  @Field(() => CodeTypeEnum)
  codeType!: string;

  @Field(() => Int, { description: 'Random characters; of no effect for UUID and PATTERN.' })
  length!: number;

  @Field(() => String)
  prefix!: string;

  @Field(() => String, { nullable: true })
  pattern?: string | null;

  @Field(() => String, nullable('Null means the one without look-alikes.'))
  alphabet?: string | null;

  @Field(() => [String])
  excludeChars!: readonly string[];

  @Field(
    () => Boolean,
    nullable(
      'True where codes end with a check character, by which typos are refused; null means they do not.',
    ),
  )
  checkCharacter?: true | undefined;

  @Field(() => Int, nullable("Counted from a code's issue; null means no end."))
  validDays?: number | null;

  @Field(() => Int, { description: 'Uses of one code; 0 means unlimited.' })
  useLimit!: number;

  @Field(() => [String], { description: 'Product lines that may redeem; empty means all.' })
  applicableProducts!: readonly string[];

  @Field(() => String, nullable(WHEN_CAMPAIGN))
  when?: string | null | undefined;

  @Field(() => [RewardRuleType])
  rewardRules!: readonly RewardRuleType[];
}

@InputType()
export class RewardRuleInput {
  @Field(() => RewardTypeEnum)
  type!: RewardType;

  @Field(() => ID, nullable(`${TARGET} For POINTS it may be left out.`))
  targetId?: string | null;

  @Field(() => TimeUnitEnum, nullable("For a SUBSCRIPTION; missing means the plan's unit."))
  unit?: TimeUnit | null;

  @Field(() => Int, nullable('Of a SUBSCRIPTION the units, of COUPON how many, up to 20. Missing means 1.'))
  quantity?: number | null;

  @Field(() => DecimalScalar, nullable("Its value in the campaign's budget; missing means 0."))
  value?: string | null;

  @Field(() => RewardConditionType, nullable('Missing means for every user.'))
  condition?: RewardConditionType | null;

  @Field(() => String, nullable(WHEN_REWARD))
  when?: string | null;

  @Field(
    () => DecimalScalar,
    nullable(
      'For POINTS a whole number; for a BALANCE an amount that its currency can state. Not for others.',
    ),
  )
  amount?: string | null;

  @Field(() => String, nullable('For a BALANCE: the code of the currency. Not for others.'))
  currency?: string | null;

  @Field(() => Int, nullable('For POINTS: days until they expire; missing means never. Not for others.'))
  validDays?: number | null;
}

@InputType()
export class CampaignRuleInput {
  @Field(() => String)
  ruleId!: string;

  @Field(() => CodeTypeEnum)
  codeType!: string;

  @Field(() => Int, nullable('Random characters after the prefix; missing means 16.'))
  length?: number | null;

  @Field(() => String, nullable('Letters A to Z, digits and hyphens.'))
  prefix?: string | null;

  @Field(() => String, nullable('For PATTERN: # is replaced by a random character.'))
  pattern?: string | null;

  @Field(() => String, nullable('For ALPHANUM and PATTERN: capitals and digits.'))
  alphabet?: string | null;

  @Field(() => [String], nullable('Single characters that random places never hold.'))
  excludeChars?: string[] | null;

  @Field(
    () => Boolean,
    nullable(
      'Adds a check character at the end: any one character typed wrong, and any two neighbours swapped, are refused before the code is looked up. Not for UUID.',
    ),
  )
  checkCharacter?: boolean | null;

  @Field(() => Int, nullable("Counted from a code's issue; missing means no end."))
  validDays?: number | null;

  @Field(() => Int, nullable('Uses of one code; missing means 1, 0 unlimited.'))
  useLimit?: number | null;

  @Field(() => [String], nullable('Product lines that may redeem; empty means all.'))
  applicableProducts?: string[] | null;

  @Field(() => String, nullable(WHEN_CAMPAIGN))
  when?: string | null;

  @Field(() => [RewardRuleInput], { nullable: true })
  rewardRules?: RewardRuleInput[] | null;
}
