import { GraphQLSafeInt } from 'graphql-scalars';
import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { nullable } from '../graphql/nullable.js';
import { listPageOf } from '../graphql/page.js';
import { InstantScalar } from '../graphql/scalars.js';
import type { SubscriptionStatus } from './subscription.entity.js';
import { SubscriptionStatusEnum } from './subscription.types.js';

@ObjectType('StaffSubscription', {
  description: "A user's subscription as staff see it: without the secrets of its address.",
})
export class StaffSubscriptionType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  userId!: string;

  @Field(() => ID)
  planId!: string;

  @Field(() => ID, { description: 'The order that started it.' })
  orderId!: string;

  @Field(() => SubscriptionStatusEnum, { description: 'As of now.' })
  status!: SubscriptionStatus;

  @Field(() => InstantScalar)
  startedAt!: Date;

  @Field(() => InstantScalar, nullable('The first instant after the end; null means no end.'))
  expiresAt?: Date | null | undefined;

  @Field(() => GraphQLSafeInt, { description: 'Bytes; 0 means unlimited.' })
  trafficBytes!: number;

  @Field(() => GraphQLSafeInt)
  trafficUsedBytes!: number;
}

export const StaffSubscriptionPageType = listPageOf(StaffSubscriptionType, 'StaffSubscriptionPage');

@InputType()
export class SubscriptionFilterInput {
  @Field(() => ID, { nullable: true })
  userId?: string | null;

  @Field(() => String, nullable("The user's id in the tenant's own system."))
  externalUserId?: string | null;

  @Field(() => ID, { nullable: true })
  planId?: string | null;

  @Field(
    () => SubscriptionStatusEnum,
    nullable('ACTIVE is exact; what has just ended is found as EXPIRED or FINISHED within a minute.'),
  )
  status?: SubscriptionStatus | null;
}
