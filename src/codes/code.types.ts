import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { enumFromValues } from '../graphql/enums.js';
import { nullable } from '../graphql/nullable.js';
import { listPageOf } from '../graphql/page.js';
import { payloadType } from '../graphql/payload-type.js';
import { InstantScalar } from '../graphql/scalars.js';
import { TIME_UNIT_DESCRIPTION, TIME_UNITS, type TimeUnit } from '../rewards/time-unit.js';
import {
  EFFECTIVE_STATUS_DESCRIPTION,
  EFFECTIVE_STATUSES,
  type EffectiveStatus,
} from './effective-status.js';
import { SHOWN_CODE_STATUSES, type ShownCodeStatus } from './code-filter.js';
import { DELETE_CODES_REFUSALS, SET_CODE_ENABLED_REFUSALS, UPDATE_CODE_REFUSALS } from './code.errors.js';

const TimeUnitEnum = enumFromValues('TimeUnit', TIME_UNITS, TIME_UNIT_DESCRIPTION);

export const CodeStatusEnum = enumFromValues(
  'CodeStatus',
  SHOWN_CODE_STATUSES,
  'An ACTIVE code without a use left is REDEEMED.',
);

export const EffectiveStatusEnum = enumFromValues(
  'CodeEffectiveStatus',
  EFFECTIVE_STATUSES,
  EFFECTIVE_STATUS_DESCRIPTION,
);

@ObjectType('Code', { description: 'What a user types to get the rewards of a campaign.' })
export class CodeType {
  @Field(() => ID)
  id!: string;

  @Field(() => String, {
    name: 'code',
    nullable: true,
    description: 'As issued; null in a campaign that stores no texts.',
  })
  codeText?: string | null | undefined;

  @Field(() => String, { description: 'The last four characters, without hyphens.' })
  lastFour!: string;

  @Field(() => ID)
  campaignId!: string;

  @Field(() => ID)
  batchId!: string;

  @Field(() => Int, { description: '0 means unlimited.' })
  useLimit!: number;

  @Field(() => Int)
  used!: number;

  @Field(() => InstantScalar, nullable('The first instant at which it is valid.'))
  startsAt?: Date | null | undefined;

  @Field(() => InstantScalar, nullable('The first instant at which it is no longer valid.'))
  expiresAt?: Date | null | undefined;

  @Field(() => ID, nullable('Only this user may redeem it; null means every user.'))
  assignedUserId?: string | null | undefined;

  @Field(() => Int, { description: 'Raised by every change.' })
  version!: number;

  @Field(() => InstantScalar)
  issuedAt!: Date;
}

export const CodePageType = listPageOf(CodeType, 'CodePage');

@InputType()
export class CodeFilterInput {
  @Field(() => ID, { nullable: true })
  campaignId?: string | null;

  @Field(() => ID, { nullable: true })
  batchId?: string | null;

  @Field(() => CodeStatusEnum, { nullable: true })
  status?: ShownCodeStatus | null;

  @Field(() => [EffectiveStatusEnum], nullable('Any of these at this instant.'))
  effectiveStatus?: EffectiveStatus[] | null;

  @Field(() => String, {
    nullable: true,
    description:
      'The text that a customer typed, in any spelling: the whole code, also of a HASHED campaign; its beginning, its end, its last four characters. Any part of it where campaign, batch or tenant has at most 50,000 codes.',
  })
  part?: string | null;

  @Field(() => ID, nullable('Of campaigns that give this plan.'))
  planId?: string | null;

  @Field(() => TimeUnitEnum, nullable('Of campaigns that give this unit of time.'))
  unit?: TimeUnit | null;

  @Field(() => ID, nullable('That this user alone may redeem.'))
  assignedUserId?: string | null;

  @Field(() => InstantScalar, nullable('Issued at this instant or later.'))
  issuedFrom?: Date | null;

  @Field(() => InstantScalar, nullable('Issued before this instant.'))
  issuedBefore?: Date | null;
}

@InputType()
export class SetCodeEnabledInput {
  @Field(() => ID)
  codeId!: string;

  @Field(() => Boolean)
  enabled!: boolean;
}

@InputType()
export class UpdateCodeInput {
  @Field(() => ID)
  codeId!: string;

  @Field(() => Int, nullable('Not below the used number; 0 means unlimited. If missing, it stays.'))
  useLimit?: number | null;

  @Field(() => InstantScalar, nullable('Null removes the end; if missing, it stays.'))
  expiresAt?: Date | null;

  @Field(() => ID, nullable('Only this user may redeem it; null means every user. If missing, it stays.'))
  assignedUserId?: string | null;
}

@InputType()
export class DeleteCodesInput {
  @Field(() => [ID], { description: '1 to 1,000 codes: all of them are deleted, or none.' })
  codeIds!: string[];
}

const code = { type: () => CodeType };

export const SetCodeEnabledPayloadType = payloadType('SetCodeEnabled', SET_CODE_ENABLED_REFUSALS, { code });
export const UpdateCodePayloadType = payloadType('UpdateCode', UPDATE_CODE_REFUSALS, { code });
export const DeleteCodesPayloadType = payloadType('DeleteCodes', DELETE_CODES_REFUSALS, {
  deleted: { type: () => Int, description: 'How many codes were deleted.' },
});
