import { Field, InputType, Int, ObjectType } from 'type-graphql';
import { ExpectedVersionField, VERSION_FIELD } from '../../graphql/expected-version.js';
import { nullable } from '../../graphql/nullable.js';
import { payloadType } from '../../graphql/payload-type.js';
import { InstantScalar } from '../../graphql/scalars.js';
import { SET_USER_TOKEN_ISSUER_REFUSALS } from './issuer.errors.js';

@ObjectType('UserTokenIssuer', {
  description: "A server of the tenant's own that signs users in, with tokens that its public keys verify.",
})
export class UserTokenIssuerType {
  @Field(() => String, { description: 'The claim `iss`.' })
  issuer!: string;

  @Field(() => String, { description: 'The claim `aud`.' })
  audience!: string;

  @Field(() => String, { description: 'Where the public keys are, as a JSON Web Key Set.' })
  jwksUrl!: string;

  @Field(() => String, nullable('The claim that holds the tags of the user; null for tokens without tags.'))
  tagsClaim?: string | null | undefined;

  @Field(() => Boolean, { description: 'If false, its tokens are refused.' })
  enabled!: boolean;

  @Field(() => Int, VERSION_FIELD)
  version!: number;

  @Field(() => InstantScalar)
  createdAt!: Date;
}

@InputType({ description: 'Replaces the present one as a whole.' })
export class SetUserTokenIssuerInput {
  @Field(() => String, { description: 'The claim `iss`: 1 to 255 printable characters without spaces.' })
  issuer!: string;

  @Field(() => String, { description: 'The claim `aud`: 1 to 255 printable characters without spaces.' })
  audience!: string;

  @Field(() => String, { description: 'An https URL at a host that the operator allows (`JWKS_HOSTS`).' })
  jwksUrl!: string;

  @Field(() => String, nullable('The claim that holds the tags of the user.'))
  tagsClaim?: string | null;

  @Field(() => Boolean, nullable('Missing means true.'))
  enabled?: boolean | null;

  @ExpectedVersionField()
  expectedVersion?: number | null;
}

export const SetUserTokenIssuerPayloadType = payloadType(
  'SetUserTokenIssuer',
  SET_USER_TOKEN_ISSUER_REFUSALS,
  {
    issuer: { type: () => UserTokenIssuerType },
  },
);
