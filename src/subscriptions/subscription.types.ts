import { GraphQLSafeInt } from 'graphql-scalars';
import { Field, ID, ObjectType } from 'type-graphql';
import { enumFromValues } from '../graphql/enums.js';
import { nullable } from '../graphql/nullable.js';
import { PushedEvent } from '../graphql/pushed-event.js';
import { InstantScalar } from '../graphql/scalars.js';
import { SUBSCRIPTION_STATUSES, type SubscriptionStatus } from './subscription.entity.js';

export const SubscriptionStatusEnum = enumFromValues(
  'SubscriptionStatus',
  SUBSCRIPTION_STATUSES,
  'The state of a subscription. FINISHED has used up its traffic, EXPIRED is past its end.',
);

// Not plain Subscription, which is the name of the schema's root for pushed events.
@ObjectType('UserSubscription', { description: 'One period of a plan for a user.' })
export class UserSubscriptionType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  planId!: string;

  @Field(() => SubscriptionStatusEnum, { description: 'As of now.' })
  status!: SubscriptionStatus;

  @Field(() => InstantScalar)
  startedAt!: Date;

  @Field(() => InstantScalar, nullable('The first instant after the end; null means no end.'))
  expiresAt?: Date | null;

  @Field(() => String, {
    description: "The secret in the subscription's address; an extension keeps it.",
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
    'A subscription changed, or its user was disabled or enabled. Pushed after the commit and the removal of cached copies; drop duplicates by eventId.',
})
export class SubscriptionInvalidatedEvent extends PushedEvent {
  @Field(() => ID)
  userId!: string;

  @Field(() => ID)
  subscriptionId!: string;

  @Field(() => ID)
  planId!: string;
}
