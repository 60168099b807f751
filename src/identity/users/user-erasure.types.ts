import { Field, ID, InputType } from 'type-graphql';
import { nullable } from '../../graphql/nullable.js';
import { payloadType } from '../../graphql/payload-type.js';
import { InstantScalar } from '../../graphql/scalars.js';
import { ERASE_USER_REFUSALS } from './user-erasure.service.js';

@InputType()
export class EraseUserInput {
  @Field(() => ID)
  userId!: string;

  @Field(() => Boolean, nullable('True erases a user, too, who holds a balance, a subscription or the like.'))
  giveUpHoldings?: boolean | null;
}

export const EraseUserPayloadType = payloadType('EraseUser', ERASE_USER_REFUSALS, {
  erasedAt: {
    type: () => InstantScalar,
    description: 'When the data were erased; a repeated call changes nothing.',
  },
});
