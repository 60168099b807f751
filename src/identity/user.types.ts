import { Field, ID, InputType, Int } from 'type-graphql';
import { payloadType } from '../graphql/payload-type.js';
import { InstantScalar } from '../graphql/scalars.js';
import { CREATE_USER_TOKEN_REFUSALS } from './user.service.js';

@InputType()
export class CreateUserTokenInput {
  @Field(() => String, {
    description: "The user's id in the tenant's own system: 1 to 64 printable characters.",
  })
  externalUserId!: string;

  @Field(() => [String], {
    nullable: true,
    description:
      'Facts that the conditions of rewards read. They replace the former ones; missing leaves those.',
  })
  tags?: string[] | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Seconds that the token lives: at most 900, and 900 if missing.',
  })
  ttlS?: number | null;
}

export const CreateUserTokenPayloadType = payloadType('CreateUserToken', CREATE_USER_TOKEN_REFUSALS, {
  token: { type: () => String, description: 'For the header `authorization: Bearer …`.' },
  userId: { type: () => ID },
  expiresAt: { type: () => InstantScalar },
});
