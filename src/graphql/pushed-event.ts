import { Field, ID, ObjectType } from 'type-graphql';

/** What all events have in common that subscriptions push; `ownEvents` makes both. */
@ObjectType()
export abstract class PushedEvent {
  @Field(() => ID)
  eventId!: string;

  @Field(() => String, { description: 'To resume after a disconnection, give the last one as `after`.' })
  cursor!: string;
}
