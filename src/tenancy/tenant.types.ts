import { GraphQLSafeInt } from 'graphql-scalars';
import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { enumFromValues } from '../graphql/enums.js';
import { ExpectedVersionField, VERSION_FIELD } from '../graphql/expected-version.js';
import { nullable } from '../graphql/nullable.js';
import { pageOf } from '../graphql/page.js';
import { payloadType } from '../graphql/payload-type.js';
import { InstantScalar } from '../graphql/scalars.js';
import {
  TENANT_STATUSES,
  TENANT_TYPES,
  type TenantStatus,
  type TenantType as TenantKind,
} from './tenant.entity.js';
import { UPDATE_TENANT_REFUSALS } from './tenant-change.service.js';
import { CREATE_TENANT_REFUSALS } from './tenant.service.js';

const TenantTypeEnum = enumFromValues(
  'TenantType',
  TENANT_TYPES,
  'PLATFORM runs the installation, CHANNEL uses it.',
);
const TenantStatusEnum = enumFromValues(
  'TenantStatus',
  TENANT_STATUSES,
  'A DISABLED tenant issues no codes.',
);

@ObjectType('Tenant', { description: 'The owner of campaigns, codes and users.' })
export class TenantType {
  @Field(() => ID, { description: 'A short key, e.g. CH_123.' })
  id!: string;

  @Field(() => String)
  name!: string;

  @Field(() => TenantTypeEnum)
  type!: TenantKind;

  @Field(() => TenantStatusEnum)
  status!: TenantStatus;

  @Field(() => GraphQLSafeInt, { description: 'Codes that may be issued; 0 means unlimited.' })
  codeQuota!: number;

  @Field(() => GraphQLSafeInt, { description: 'Codes issued and not given back.' })
  codesIssued!: number;

  @Field(() => String, {
    description: 'A name of the IANA database. In it days begin, and conditions read the time.',
  })
  timeZone!: string;

  @Field(() => Int, VERSION_FIELD)
  version!: number;

  @Field(() => InstantScalar)
  createdAt!: Date;
}

@InputType()
export class CreateTenantInput {
  @Field(() => ID, { description: '2 to 24 capitals and digits, in groups joined by single underscores.' })
  id!: string;

  @Field(() => String, { description: '1 to 64 characters.' })
  name!: string;

  @Field(() => TenantTypeEnum)
  type!: TenantKind;

  @Field(() => Int, nullable('Codes that may be issued; missing or 0 means unlimited.'))
  codeQuota?: number | null;

  @Field(() => String, nullable('A name of the IANA database such as Europe/Berlin; missing means UTC.'))
  timeZone?: string | null;
}

@InputType()
export class UpdateTenantInput {
  @Field(() => ID)
  tenantId!: string;

  @Field(() => String, nullable('1 to 64 characters. If missing, it stays.'))
  name?: string | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Codes that may be issued; 0 means unlimited. A quota below the issued number only stops further issue. If missing, it stays.',
  })
  codeQuota?: number | null;

  @Field(
    () => String,
    nullable(
      'A name of the IANA database such as Europe/Berlin. Limits of a day are counted again by the new days at once. If missing, it stays.',
    ),
  )
  timeZone?: string | null;

  @Field(() => TenantStatusEnum, nullable('If missing, it stays.'))
  status?: TenantStatus | null;

  @ExpectedVersionField()
  expectedVersion?: number | null;
}

@InputType()
export class TenantFilterInput {
  @Field(() => TenantStatusEnum, { nullable: true })
  status?: TenantStatus | null;

  @Field(() => TenantTypeEnum, { nullable: true })
  type?: TenantKind | null;

  @Field(() => String, nullable('Part of the id or the name, in capitals or not.'))
  part?: string | null;
}

export const TenantPageType = pageOf(TenantType, 'TenantPage');

export const CreateTenantPayloadType = payloadType('CreateTenant', CREATE_TENANT_REFUSALS, {
  tenant: { type: () => TenantType },
});

export const UpdateTenantPayloadType = payloadType('UpdateTenant', UPDATE_TENANT_REFUSALS, {
  tenant: { type: () => TenantType },
});
