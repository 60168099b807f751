import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { enumFromValues } from '../graphql/enums.js';
import { nullable } from '../graphql/nullable.js';
import { listPageOf } from '../graphql/page.js';
import { InstantScalar, JsonObjectScalar } from '../graphql/scalars.js';
import type { RowValues } from '../platform/recording/change-record.js';
import { AUDIT_ACTOR_KINDS, type AuditActorKind } from './audit-entry.entity.js';

const ActorKindEnum = enumFromValues('AuditActorKind', AUDIT_ACTOR_KINDS, 'Who has changed something.', {
  STAFF: 'A member of staff.',
  PARTNER: 'The server of a partner.',
  OPERATOR: 'A person at the command line of the installation.',
});

@ObjectType('AuditChange', { description: 'A row that was changed. Secrets are left out.' })
export class AuditChangeType {
  @Field(() => String, { description: 'Such as `campaign`.' })
  table!: string;

  @Field(() => ID, { description: 'The id of the row; of several parts, with `/` between them.' })
  rowId!: string;

  @Field(
    () => JsonObjectScalar,
    nullable('The columns that changed, as they were; null where the row is new.'),
  )
  before!: RowValues | null;

  @Field(
    () => JsonObjectScalar,
    nullable('The columns that changed, as they are; null where the row was deleted.'),
  )
  after!: RowValues | null;
}

@ObjectType('AuditEntry', {
  description: 'One change by staff, a partner or the command line. Entries are chained by digests.',
})
export class AuditEntryType {
  @Field(() => ID, { description: 'Its number in the chain of the tenant: from 1, without gaps.' })
  id!: string;

  @Field(() => InstantScalar)
  createdAt!: Date;

  @Field(() => String, {
    description: 'Such as `updateCampaign`, `PUT /api/imports/:id` or `cli campaign update`.',
  })
  operation!: string;

  @Field(() => ActorKindEnum)
  actorKind!: AuditActorKind;

  @Field(() => String, {
    description: 'The id of the member of staff or of the partner; of the command line `user@host`.',
  })
  actorId!: string;

  @Field(() => String, nullable('The role of the member of staff.'))
  actorRole?: string | null | undefined;

  @Field(() => String, nullable('The session or the API key.'))
  credentialId?: string | null | undefined;

  @Field(() => String, nullable('The address of the caller.'))
  ip?: string | null | undefined;

  @Field(() => String, nullable('The id of the request, as the log has it.'))
  requestId?: string | null | undefined;

  @Field(() => String, { description: 'What was changed, such as `campaign`.' })
  targetType!: string;

  @Field(() => String)
  targetId!: string;

  @Field(() => String, { description: 'The digest of the entry before; of the first one empty.' })
  previous!: string;

  @Field(() => String, { description: 'SHA-256 over the entry and `previous`, in base64url.' })
  digest!: string;
}

export const AuditPageType = listPageOf(AuditEntryType, 'AuditPage');

@InputType()
export class AuditFilterInput {
  @Field(() => String, nullable('Only by this member of staff, partner or `user@host`.'))
  actorId?: string | null;

  @Field(() => String, nullable('Only this operation, such as `updateCampaign`.'))
  operation?: string | null;

  @Field(() => String, nullable('Only changes of this type, such as `campaign`.'))
  targetType?: string | null;

  @Field(() => String, nullable('Only changes of what has this id.'))
  targetId?: string | null;

  @Field(() => InstantScalar, nullable('Only from this instant on.'))
  from?: Date | null;

  @Field(() => InstantScalar, nullable('Only before this instant.'))
  before?: Date | null;
}
