import { GraphQLSafeInt } from 'graphql-scalars';
import { Field, ID, ObjectType } from 'type-graphql';
import { enumFromValues } from '../graphql/enums.js';
import { nullable } from '../graphql/nullable.js';
import { InstantScalar } from '../graphql/scalars.js';
import { SUBSCRIPTION_STATUSES, type SubscriptionStatus } from './subscription.entity.js';

const SubscriptionStatusEnum = enumFromValues(
  'SubscriptionStatus',
  SUBSCRIPTION_STATUSES,
  'Where a subscription stands. FINISHED has used up its traffic, EXPIRED is past its end.',
);

// Not plain Subscription, which is the name of the schema's root for pushed events.
@ObjectType('UserSubscription', { description: "One user's running period of a plan." })
export class UserSubscriptionType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  planId!: string;

  @Field(() => SubscriptionStatusEnum, { description: 'As of now.' })
  status!: SubscriptionStatus;

  @Field(() => InstantScalar)
  startedAt!: Date;

  @Field(() => InstantScalar, nullable('This instant is already past the end; null never ends.'))
  expiresAt?: Date | null;

  @Field(() => String, {
    description: "The secret in the subscription's address; stays the same when it is extended.",
  })
  token!: string;

  @Field(() => String)
  uuid!: string;

  @Field(() => GraphQLSafeInt, { description: 'Bytes; 0 means unlimited.' })
  trafficBytes!: number;

  @Field(() => GraphQLSafeInt)
  trafficUsedBytes!: number;
}

@ObjectType({
  description:
    'A subscription changed. Pushed after the commit, when every cache is dropped; drop duplicates by eventId.',
})
export class SubscriptionInvalidatedEvent {
  @Field(() => ID)
  eventId!: string;

  @Field(() => String, {
    description: 'Where to go on after being away: give the last one as `after`.',
  })
  cursor!: string;

  @Field(() => ID)
  userId!: string;

  @Field(() => ID)
  subscriptionId!: string;

  @Field(() => ID)
  planId!: string;
}
