import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { enumFromValues } from '../../graphql/enums.js';
import { nullable } from '../../graphql/nullable.js';
import { pageOf } from '../../graphql/page.js';
import { payloadType } from '../../graphql/payload-type.js';
import { InstantScalar } from '../../graphql/scalars.js';
import {
  DEAD_LETTER_REASONS,
  REDRIVE_DEAD_LETTERS_REFUSALS,
  type DeadLetterReason,
} from './dead-letters.service.js';

const DeadLetterReasonEnum = enumFromValues(
  'DeadLetterReason',
  DEAD_LETTER_REASONS,
  'Why a redemption that was answered PROCESSING has no outcome.',
  {
    STORE_UNAVAILABLE: 'A store did not answer, up to the last attempt.',
    COMMIT_FAILED: 'The database answered, but refused the commit; the log has the reason.',
  },
);

@ObjectType('DeadLetter', {
  description: 'A redemption that was answered PROCESSING and could neither be settled nor aborted.',
})
export class DeadLetterType {
  @Field(() => ID)
  orderNo!: string;

  @Field(() => ID)
  userId!: string;

  @Field(() => ID)
  campaignId!: string;

  @Field(() => ID)
  codeId!: string;

  @Field(() => DeadLetterReasonEnum)
  reason!: DeadLetterReason;

  @Field(() => Int, { description: 'How often it was tried.' })
  attempts!: number;

  @Field(() => InstantScalar, { description: 'When the code was claimed.' })
  claimedAt!: Date;

  @Field(() => InstantScalar, { description: 'When the last attempt failed.' })
  since!: Date;
}

export const DeadLetterPageType = pageOf(DeadLetterType, 'DeadLetterPage');

@InputType()
export class RedriveDeadLettersInput {
  @Field(() => ID, nullable('A redemption; without it give `tenantEvent` or `all`.'))
  orderNo?: string | null;

  @Field(() => ID, nullable("An event of the tenant directory; for a PLATFORM tenant's staff."))
  tenantEvent?: string | null;

  @Field(
    () => Boolean,
    nullable(
      "True means all redemptions of the tenant, and for a PLATFORM tenant's staff all tenant events.",
    ),
  )
  all?: boolean | null;
}

export const RedriveDeadLettersPayloadType = payloadType(
  'RedriveDeadLetters',
  REDRIVE_DEAD_LETTERS_REFUSALS,
  {
    redriven: {
      type: () => Int,
      description: 'The number of redemptions that are retried, and of tenant events that were applied.',
    },
  },
);
