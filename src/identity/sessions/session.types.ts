import { ArgsType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { enumFromValues } from '../../graphql/enums.js';
import { nullable } from '../../graphql/nullable.js';
import { ListArgs, listPageOf } from '../../graphql/page.js';
import { payloadType } from '../../graphql/payload-type.js';
import { InstantScalar } from '../../graphql/scalars.js';
import { END_SESSION_REFUSALS } from './session-list.service.js';
import {
  SESSION_END_REASONS,
  SESSION_KINDS,
  type SessionEndReason,
  type SessionKind,
} from './session.entity.js';

export const SessionEndReasonEnum = enumFromValues(
  'SessionEndReason',
  SESSION_END_REASONS,
  'Why a session ends.',
);
const SessionKindEnum = enumFromValues('SessionKind', SESSION_KINDS, 'What a session belongs to.', {
  STAFF: 'A member of staff.',
  DEVICE: 'A user, on one of the devices of the user.',
});

@ObjectType('Session', { description: 'A sign-in, with all tokens that followed from it.' })
export class SessionType {
  @Field(() => ID)
  id!: string;

  @Field(() => SessionKindEnum)
  kind!: SessionKind;

  @Field(() => ID, nullable('Of a device; null for staff.'))
  deviceId?: string | null | undefined;

  @Field(() => String, nullable('The address from which it was opened; null where it is not known.'))
  ip?: string | null | undefined;

  @Field(() => InstantScalar, { description: 'The sign-in.' })
  createdAt!: Date;

  @Field(() => InstantScalar, { description: 'It ends here unless it is refreshed before.' })
  expiresAt!: Date;

  @Field(() => InstantScalar, nullable('When it was ended; null for one that is open or has expired.'))
  endedAt?: Date | null | undefined;

  @Field(() => SessionEndReasonEnum, { nullable: true })
  endedReason?: SessionEndReason | null | undefined;
}

@ArgsType()
export class SessionListArgs extends ListArgs {
  @Field(() => Boolean, nullable('True also lists those that have ended in the last weeks.'))
  ended?: boolean | null;
}

@ArgsType()
export class StaffSessionListArgs extends SessionListArgs {
  @Field(() => ID, nullable("Another member's account, for OWNER; missing means one's own."))
  staffId?: string | null;
}

@InputType()
export class EndSessionInput {
  @Field(() => ID)
  sessionId!: string;
}

export const SessionPageType = listPageOf(SessionType, 'SessionPage');

export const EndSessionPayloadType = payloadType('EndSession', END_SESSION_REFUSALS, {
  session: { type: () => SessionType },
});
