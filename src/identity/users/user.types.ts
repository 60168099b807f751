import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { enumFromValues } from '../../graphql/enums.js';
import { ExpectedVersionField, VERSION_FIELD } from '../../graphql/expected-version.js';
import { nullable } from '../../graphql/nullable.js';
import { listPageOf } from '../../graphql/page.js';
import { payloadType } from '../../graphql/payload-type.js';
import { InstantScalar } from '../../graphql/scalars.js';
import { UPDATE_USER_REFUSALS } from './user-change.service.js';
import { USER_STATUSES, type UserStatus } from './user.entity.js';
import { CREATE_USER_TOKEN_REFUSALS } from './user.service.js';

const UserStatusEnum = enumFromValues('UserStatus', USER_STATUSES, 'A DISABLED user redeems nothing.');

@ObjectType('User', { description: 'A user of a tenant, who redeems codes.' })
export class UserType {
  @Field(() => ID)
  id!: string;

  @Field(() => String, { description: "The user's id in the tenant's own system." })
  externalId!: string;

  @Field(() => UserStatusEnum)
  status!: UserStatus;

  @Field(() => [String], { description: 'Tags that the conditions of rewards read.' })
  tags!: string[];

  @Field(() => Int, VERSION_FIELD)
  version!: number;

  @Field(() => InstantScalar)
  createdAt!: Date;

  @Field(() => InstantScalar, nullable('When the personal data were erased.'))
  erasedAt?: Date | null | undefined;
}

export const UserPageType = listPageOf(UserType, 'UserPage');

@InputType()
export class UserFilterInput {
  @Field(() => UserStatusEnum, { nullable: true })
  status?: UserStatus | null;

  @Field(() => String, nullable("The whole id in the tenant's own system."))
  externalUserId?: string | null;

  @Field(
    () => String,
    nullable(
      "How the id in the tenant's own system begins, in capitals as it has them. The list is then in the order of these ids, and `sort` is of no effect.",
    ),
  )
  externalIdPrefix?: string | null;

  @Field(() => [ID], nullable('Any of these, at most 500: names for the ids in other lists.'))
  ids?: string[] | null;

  @Field(() => [String], nullable('Users with all of these tags.'))
  tags?: string[] | null;
}

@InputType({ description: 'Names the user by one of the two ids.' })
export class UpdateUserInput {
  @Field(() => ID, { nullable: true })
  userId?: string | null;

  @Field(() => String, nullable("The user's id in the tenant's own system."))
  externalUserId?: string | null;

  @Field(() => UserStatusEnum, nullable('If missing, it stays.'))
  status?: UserStatus | null;

  @Field(() => [String], nullable('Replace the present ones; if missing, those stay.'))
  tags?: string[] | null;

  @ExpectedVersionField()
  expectedVersion?: number | null;
}

@InputType()
export class CreateUserTokenInput {
  @Field(() => String, {
    description:
      "The user's id in the tenant's own system: 1 to 64 printable characters, not beginning with `device:`.",
  })
  externalUserId!: string;

  @Field(() => [String], {
    nullable: true,
    description:
      'Tags that the conditions of rewards read. They replace the present ones; if missing, those stay. An API key that is limited to product lines gives them to new users only.',
  })
  tags?: string[] | null;

  @Field(
    () => String,
    nullable(
      'Limits the token to this product line, whose header `x-product-code` may then be left out. An API key that is limited to several must give one of them.',
    ),
  )
  productCode?: string | null;

  @Field(() => Int, nullable('Lifetime of the token in seconds: at most 900, and 900 if missing.'))
  ttlS?: number | null;
}

export const CreateUserTokenPayloadType = payloadType('CreateUserToken', CREATE_USER_TOKEN_REFUSALS, {
  token: { type: () => String, description: 'For the header `authorization: Bearer …`.' },
  userId: { type: () => ID },
  expiresAt: { type: () => InstantScalar },
});

export const UpdateUserPayloadType = payloadType('UpdateUser', UPDATE_USER_REFUSALS, {
  user: { type: () => UserType },
});
