import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { enumFromValues } from '../../graphql/enums.js';
import { nullable } from '../../graphql/nullable.js';
import { payloadType } from '../../graphql/payload-type.js';
import { PushedEvent } from '../../graphql/pushed-event.js';
import { SPENT_REWARDS, type SpentRewards } from '../../rewards/reward-handler.js';
import { REVERSE_REDEMPTION_REFUSALS } from '../redemption.errors.js';
import { RedemptionType } from '../redemption.types.js';

const SpentRewardsEnum = enumFromValues(
  'SpentRewards',
  SPENT_REWARDS,
  'What becomes of rewards that have been spent already, wholly or in part.',
  {
    REFUSE: 'The reversal is refused (REWARD_SPENT), and nothing is changed.',
    DEBT: 'What is left is taken back; the rest is stated in `debts`.',
  },
);

@InputType()
export class ReverseRedemptionInput {
  @Field(() => ID)
  redemptionId!: string;

  @Field(() => String, { description: 'The reason, visible to staff; 1 to 200 characters.' })
  reason!: string;

  @Field(
    () => Boolean,
    nullable(
      'Whether the code gets its use back: it can then be redeemed once more, also by the same user, and limits of the campaign do not count the redemption any more. Missing means false.',
    ),
  )
  returnUse?: boolean | null;

  @Field(() => SpentRewardsEnum, nullable('Missing means REFUSE.'))
  spent?: SpentRewards | null;
}

export const ReverseRedemptionPayloadType = payloadType('ReverseRedemption', REVERSE_REDEMPTION_REFUSALS, {
  redemption: {
    type: () => RedemptionType,
    description: 'The reversed redemption; also returned with ALREADY_REVERSED.',
  },
});

@ObjectType({
  description: 'A redemption was reversed. Pushed after the commit; drop duplicates by eventId.',
})
export class RedemptionReversedEvent extends PushedEvent {
  @Field(() => ID)
  redemptionId!: string;

  @Field(() => ID)
  userId!: string;

  @Field(() => String)
  orderNo!: string;

  @Field(() => ID)
  campaignId!: string;

  @Field(() => Boolean, { description: 'Whether the code got its use back.' })
  useReturned!: boolean;
}
