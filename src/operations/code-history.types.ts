import { Field, ID, Int, ObjectType } from 'type-graphql';
import { enumFromValues } from '../graphql/enums.js';
import { nullable } from '../graphql/nullable.js';
import { InstantScalar } from '../graphql/scalars.js';
import { HISTORY_EVENTS, type HistoryEvent } from './code-history-entries.js';

const HistoryEventEnum = enumFromValues('CodeHistoryEvent', HISTORY_EVENTS, 'What happened to a code.', {
  CHANGED: 'The code or its batch was changed; `auditEntry` shows how.',
  BATCH_ACTIVATED: 'From before the audit log, as BATCH_FROZEN, BATCH_VOIDED and DELETED.',
  REDEEMED: 'At the instant of the claim.',
  REFUSED: 'A refused attempt to redeem or preview it, of the sample that is kept.',
});

@ObjectType('CodeHistoryEntry', {
  description: 'Something that happened to a code. Fields that do not belong to the event are null.',
})
export class CodeHistoryEntryType {
  @Field(() => InstantScalar)
  at!: Date;

  @Field(() => HistoryEventEnum)
  event!: HistoryEvent;

  @Field(() => ID, nullable('Who redeemed, was refused, or got the code.'))
  userId!: string | null;

  @Field(() => ID, { nullable: true })
  redemptionId!: string | null;

  @Field(() => Int, nullable('Which use of the code it was.'))
  useNo!: number | null;

  @Field(() => String, { nullable: true })
  productCode!: string | null;

  @Field(() => String, nullable('The reason, a code of `RedeemCodeErrorCode`.'))
  refusal!: string | null;

  @Field(() => Boolean, nullable('Whether a preview was refused.'))
  isPreview!: boolean | null;

  @Field(() => Int, nullable('Further refusals of the same user within ten seconds.'))
  further!: number | null;

  @Field(() => String, nullable('The channel that the code was handed to.'))
  channel!: string | null;

  @Field(
    () => String,
    nullable('Who did it: a member of staff, a partner, or `user@host` of the command line.'),
  )
  by!: string | null;

  @Field(() => String, nullable('Why it was reversed.'))
  reason!: string | null;

  @Field(() => String, nullable('Such as `updateCode` or `freezeBatch`.'))
  operation!: string | null;

  @Field(() => ID, nullable('The entry of the audit log.'))
  auditEntryId!: string | null;
}

@ObjectType('CodeClaim', { description: 'A use of a code that is held and not settled yet.' })
class CodeClaimType {
  @Field(() => ID)
  redemptionId!: string;

  @Field(() => ID)
  userId!: string;

  @Field(() => InstantScalar)
  claimedAt!: Date;

  @Field(() => InstantScalar, { description: 'A worker aborts the claim after this instant.' })
  deadline!: Date;
}

@ObjectType('CodeCopy', { description: 'What Redis says of a code, by which attempts are admitted.' })
class CodeCopyType {
  @Field(() => String, { description: 'INACTIVE, ACTIVE or DISABLED.' })
  status!: string;

  @Field(() => Int)
  used!: number;

  @Field(() => Int, { description: '0 means unlimited.' })
  useLimit!: number;

  @Field(() => Int, { description: 'That of the row, if the copy is not behind it.' })
  version!: number;
}

@ObjectType('CodeHistory', { description: 'All that is known of one code.' })
export class CodeHistoryType {
  @Field(() => ID)
  codeId!: string;

  @Field(() => [CodeHistoryEntryType], {
    description: 'The newest first; of redemptions, refusals and changes the latest 100 of each.',
  })
  entries!: CodeHistoryEntryType[];

  @Field(() => Boolean, { description: 'Whether there are more; the lists show them.' })
  isCut!: boolean;

  @Field(() => [CodeClaimType], nullable('Null while Redis does not answer.'))
  openClaims!: CodeClaimType[] | null;

  @Field(() => CodeCopyType, nullable('Null where Redis has none: it is loaded with the next attempt.'))
  copy!: CodeCopyType | null;
}
