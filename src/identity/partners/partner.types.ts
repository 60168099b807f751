import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { enumFromValues } from '../../graphql/enums.js';
import { ExpectedVersionField, VERSION_FIELD } from '../../graphql/expected-version.js';
import { nullable } from '../../graphql/nullable.js';
import { listPageOf } from '../../graphql/page.js';
import { payloadType } from '../../graphql/payload-type.js';
import { InstantScalar } from '../../graphql/scalars.js';
import { PARTNER_SCOPES } from '../../graphql/actor.js';
import { PARTNER_STATUSES, type PartnerStatus } from './partner.entity.js';
import {
  CREATE_API_KEY_REFUSALS,
  CREATE_PARTNER_REFUSALS,
  REGISTER_OPERATIONS_REFUSALS,
  REVOKE_API_KEY_REFUSALS,
  UPDATE_PARTNER_REFUSALS,
} from './partner.errors.js';

const PartnerStatusEnum = enumFromValues(
  'PartnerStatus',
  PARTNER_STATUSES,
  'The keys of a DISABLED partner are refused.',
);
const SCOPES = `Of ${PARTNER_SCOPES.map((scope) => `\`${scope}\``).join(', ')}.`;

@ObjectType('ApiKey', {
  description: "A key of a partner's server. The key itself is shown once, when it is made.",
})
export class ApiKeyType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  partnerId!: string;

  @Field(() => String)
  name!: string;

  @Field(() => String, { description: 'The last four characters of the key.' })
  lastFour!: string;

  @Field(() => [String], { description: SCOPES })
  scopes!: string[];

  @Field(() => [String], nullable('The product lines that it is limited to; null for all.'))
  productCodes?: string[] | null | undefined;

  @Field(() => InstantScalar, nullable('The first instant at which it is refused; null for no end.'))
  expiresAt?: Date | null | undefined;

  @Field(() => InstantScalar, nullable('To the minute; null for a key that was never used.'))
  lastUsedAt?: Date | null | undefined;

  @Field(() => InstantScalar, { nullable: true })
  revokedAt?: Date | null | undefined;

  @Field(() => Boolean, { description: 'Whether user tokens that it has made outlive its revocation.' })
  keepsUserTokens!: boolean;

  @Field(() => InstantScalar)
  createdAt!: Date;

  @Field(() => String, { description: 'The member of staff who made it.' })
  createdBy!: string;
}

@ObjectType('PartnerOperations', {
  description: "The operations that a partner's server may run, and no others.",
})
export class PartnerOperationsType {
  @Field(() => ID)
  partnerId!: string;

  @Field(() => Int)
  operationCount!: number;

  @Field(() => Int, VERSION_FIELD)
  version!: number;

  @Field(() => InstantScalar)
  registeredAt!: Date;

  @Field(() => String, { description: 'The member of staff who uploaded them.' })
  registeredBy!: string;
}

@ObjectType('Partner', { description: 'A company whose server calls on behalf of the tenant.' })
export class PartnerType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  name!: string;

  @Field(() => PartnerStatusEnum)
  status!: PartnerStatus;

  @Field(() => Int, VERSION_FIELD)
  version!: number;

  @Field(() => InstantScalar)
  createdAt!: Date;
}

export const PartnerPageType = listPageOf(PartnerType, 'PartnerPage');

@InputType()
export class PartnerFilterInput {
  @Field(() => PartnerStatusEnum, { nullable: true })
  status?: PartnerStatus | null;
}

@InputType()
export class CreatePartnerInput {
  @Field(() => String, { description: '1 to 64 characters; no other partner of the tenant has it.' })
  name!: string;
}

@InputType({ description: 'Missing or null fields stay.' })
export class UpdatePartnerInput {
  @Field(() => ID)
  partnerId!: string;

  @Field(() => String, nullable('1 to 64 characters.'))
  name?: string | null;

  @Field(() => PartnerStatusEnum, { nullable: true })
  status?: PartnerStatus | null;

  @ExpectedVersionField()
  expectedVersion?: number | null;
}

@InputType()
export class CreateApiKeyInput {
  @Field(() => ID)
  partnerId!: string;

  @Field(() => String, { description: 'What it is for: 1 to 64 characters.' })
  name!: string;

  @Field(() => [String], { description: SCOPES })
  scopes!: string[];

  @Field(
    () => [String],
    nullable(
      'Limits the key to these product lines; such a key has no other scopes than `redeem` and `redemptions:read`. If missing, it is good for all.',
    ),
  )
  productCodes?: string[] | null;

  @Field(() => InstantScalar, nullable('The first instant at which it is refused; missing means no end.'))
  expiresAt?: Date | null;
}

@InputType()
export class RevokeApiKeyInput {
  @Field(() => ID)
  keyId!: string;

  @Field(
    () => Boolean,
    nullable(
      'If true, user tokens that the key has made are good to their end, at most 15 minutes: for a change to another key. Missing means false: they end with the key.',
    ),
  )
  keepsUserTokens?: boolean | null;
}

@InputType()
export class RegisterOperationsInput {
  @Field(() => ID)
  partnerId!: string;

  @Field(() => String, {
    description:
      'The file as the compiler wrote it: the manifest of Apollo, or the map from hashes to texts of Relay or GraphQL Code Generator.',
  })
  manifest!: string;

  @ExpectedVersionField()
  expectedVersion?: number | null;
}

const partner = { type: () => PartnerType };
const apiKey = { type: () => ApiKeyType };
export const CreatePartnerPayloadType = payloadType('CreatePartner', CREATE_PARTNER_REFUSALS, { partner });
export const UpdatePartnerPayloadType = payloadType('UpdatePartner', UPDATE_PARTNER_REFUSALS, { partner });
export const CreateApiKeyPayloadType = payloadType('CreateApiKey', CREATE_API_KEY_REFUSALS, {
  apiKey,
  key: { type: () => String, description: 'For the header `authorization: Bearer …`. Shown only here.' },
});
export const RevokeApiKeyPayloadType = payloadType('RevokeApiKey', REVOKE_API_KEY_REFUSALS, { apiKey });
export const RegisterOperationsPayloadType = payloadType('RegisterOperations', REGISTER_OPERATIONS_REFUSALS, {
  operations: { type: () => PartnerOperationsType },
});
