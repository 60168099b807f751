import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { ExpectedVersionField, VERSION_FIELD } from '../../graphql/expected-version.js';
import { nullable } from '../../graphql/nullable.js';
import { pageOf } from '../../graphql/page.js';
import { payloadType } from '../../graphql/payload-type.js';
import { InstantScalar } from '../../graphql/scalars.js';
import {
  CREATE_ANNOUNCEMENT_REFUSALS,
  DELETE_ANNOUNCEMENT_REFUSALS,
  UPDATE_ANNOUNCEMENT_REFUSALS,
} from './announcement.service.js';

@ObjectType('Announcement', { description: 'What a tenant tells its users.' })
export class AnnouncementType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  title!: string;

  @Field(() => String, { description: 'Plain text, with line breaks; empty if none was given.' })
  description!: string;

  @Field(() => InstantScalar, nullable('Shown from this instant; null means at once.'))
  startsAt?: Date | null | undefined;

  @Field(() => InstantScalar, nullable('Not shown from this instant on; null means without end.'))
  endsAt?: Date | null | undefined;

  @Field(() => Int, VERSION_FIELD)
  version!: number;

  @Field(() => InstantScalar)
  createdAt!: Date;
}

@InputType()
export class CreateAnnouncementInput {
  @Field(() => String, { description: '1 to 128 characters.' })
  title!: string;

  @Field(() => String, nullable('At most 4000 characters of plain text, with line breaks.'))
  description?: string | null;

  @Field(() => InstantScalar, nullable('Missing means at once.'))
  startsAt?: Date | null | undefined;

  @Field(() => InstantScalar, nullable('After startsAt; missing means without end.'))
  endsAt?: Date | null | undefined;
}

@InputType({ description: 'Missing fields stay.' })
export class UpdateAnnouncementInput {
  @Field(() => ID)
  announcementId!: string;

  @Field(() => String, nullable('1 to 128 characters.'))
  title?: string | null;

  @Field(() => String, nullable('At most 4000 characters of plain text, with line breaks.'))
  description?: string | null;

  @Field(() => InstantScalar, nullable('Null means at once.'))
  startsAt?: Date | null | undefined;

  @Field(() => InstantScalar, nullable('After startsAt; null means without end.'))
  endsAt?: Date | null | undefined;

  @ExpectedVersionField()
  expectedVersion?: number | null;
}

@InputType()
export class DeleteAnnouncementInput {
  @Field(() => ID)
  announcementId!: string;
}

export const AnnouncementPageType = pageOf(AnnouncementType, 'AnnouncementPage');

export const CreateAnnouncementPayloadType = payloadType('CreateAnnouncement', CREATE_ANNOUNCEMENT_REFUSALS, {
  announcement: { type: () => AnnouncementType },
});

export const UpdateAnnouncementPayloadType = payloadType('UpdateAnnouncement', UPDATE_ANNOUNCEMENT_REFUSALS, {
  announcement: { type: () => AnnouncementType },
});

export const DeleteAnnouncementPayloadType = payloadType('DeleteAnnouncement', DELETE_ANNOUNCEMENT_REFUSALS, {
  announcementId: { type: () => ID },
});
