import { GraphQLSafeInt } from 'graphql-scalars';
import { Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql';
import { enumFromValues } from '../graphql/enums.js';
import { nullable } from '../graphql/nullable.js';
import { listPageOf } from '../graphql/page.js';
import { payloadType } from '../graphql/payload-type.js';
import { PushedEvent } from '../graphql/pushed-event.js';
import { InstantScalar } from '../graphql/scalars.js';
import {
  BATCH_FAILURES,
  BATCH_STATUS_DESCRIPTION,
  BATCH_STATUSES,
  type BatchFailure,
  type BatchStatus,
} from './code-batch.entity.js';
import {
  ACTIVATE_BATCH_REFUSALS,
  EXTEND_BATCH_REFUSALS,
  CANCEL_BATCH_REFUSALS,
  FREEZE_BATCH_REFUSALS,
  GENERATE_CODES_REFUSALS,
  UNFREEZE_BATCH_REFUSALS,
  VOID_BATCH_REFUSALS,
} from './code.errors.js';

const BatchStatusEnum = enumFromValues('BatchStatus', BATCH_STATUSES, BATCH_STATUS_DESCRIPTION);

const BatchFailureEnum = enumFromValues(
  'BatchFailure',
  BATCH_FAILURES,
  'CODES_COLLIDE: codes of other campaigns fill the space of this one. RETRIES_EXHAUSTED: a fault of the server; its log has it.',
);

@ObjectType('Batch', { description: 'Codes that were made together: the unit of freeze and void.' })
export class BatchType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  campaignId!: string;

  @Field(() => BatchStatusEnum)
  status!: BatchStatus;

  @Field(() => GraphQLSafeInt, { description: 'Codes asked for.' })
  requested!: number;

  @Field(() => GraphQLSafeInt, { description: 'Codes stored at this instant.' })
  generated!: number;

  @Field(() => Float, { description: 'The stored part of the codes asked for, 0 to 100.' })
  percentage?: number;

  @Field(() => BatchFailureEnum, nullable('Why it is FAILED.'))
  failure?: BatchFailure | null | undefined;

  @Field(
    () => InstantScalar,
    nullable('When a worker stored its first codes; null where all were made at once.'),
  )
  startedAt?: Date | null | undefined;

  @Field(
    () => InstantScalar,
    nullable('When it became READY, FAILED or CANCELLED; null where all codes were made at once.'),
  )
  finishedAt?: Date | null | undefined;

  @Field(
    () => InstantScalar,
    nullable('When it was frozen: its codes cannot be redeemed until it is unfrozen.'),
  )
  frozenAt?: Date | null | undefined;

  @Field(() => InstantScalar, nullable('When it was voided: its codes can never be redeemed again.'))
  voidedAt?: Date | null | undefined;

  @Field(() => Boolean, { description: 'Whether its codes cannot be redeemed before `activateBatch`.' })
  awaitsActivation!: boolean;

  @Field(() => InstantScalar, nullable('When it was activated, if it was made to be activated at sale.'))
  activatedAt?: Date | null | undefined;

  @Field(() => InstantScalar, nullable('Codes that would end before this instant end at it.'))
  extendedTo?: Date | null | undefined;

  @Field(() => Int, { description: 'Raised by every change.' })
  version!: number;

  @Field(() => InstantScalar)
  createdAt!: Date;
}

@ObjectType({
  description: 'How far a batch was at one instant. Pushed after the commit; drop duplicates by eventId.',
})
export class BatchProgressEvent extends PushedEvent {
  @Field(() => ID)
  batchId!: string;

  @Field(() => ID)
  campaignId!: string;

  @Field(() => BatchStatusEnum)
  status!: BatchStatus;

  @Field(() => GraphQLSafeInt, { description: 'Codes asked for.' })
  requested!: number;

  @Field(() => GraphQLSafeInt, { description: 'Codes stored.' })
  generated!: number;

  @Field(() => Float, { description: '0 to 100.' })
  percentage!: number;

  @Field(() => Int, nullable('Over the last ten seconds; null while that is not known.'))
  codesPerSecond?: number | null;

  @Field(() => Int, nullable('At this pace; null while that is not known.'))
  secondsLeft?: number | null;
}

@InputType()
export class GenerateCodesInput {
  @Field(() => ID)
  campaignId!: string;

  @Field(() => Int, {
    description:
      '1 to 5,000,000. Up to 10,000 are made before the answer; more by a worker, after it: see `batchProgress`.',
  })
  count!: number;

  @Field(() => String, {
    nullable: true,
    description: 'A repeated key answers the same batch. If missing, the header idempotency-key is used.',
  })
  idempotencyKey?: string | null;

  @Field(
    () => Boolean,
    nullable(
      'Whether the codes cannot be redeemed before `activateBatch`, as at their sale. Missing means false.',
    ),
  )
  activateAtSale?: boolean | null;
}

@InputType()
export class ExtendBatchInput {
  @Field(() => ID)
  batchId!: string;

  @Field(() => InstantScalar, {
    description:
      'The new end of codes that would end earlier, or have ended; later than now and than the last extension.',
  })
  expiresAt!: Date;
}

@InputType()
export class BatchIdInput {
  @Field(() => ID)
  batchId!: string;
}

@InputType()
export class BatchFilterInput {
  @Field(() => ID, { nullable: true })
  campaignId?: string | null;
}

export const BatchPageType = listPageOf(BatchType, 'BatchPage');

const batch = { type: () => BatchType };

export const GenerateCodesPayloadType = payloadType('GenerateCodes', GENERATE_CODES_REFUSALS, {
  batch,
  codes: {
    type: () => [String],
    description:
      'The codes; null where a worker makes them: read them by `codes` when the batch is READY. Those of a HASHED campaign are not stored: a repeated call with the same idempotency key answers them one more time within ten minutes, then null.',
  },
  replayed: { type: () => Boolean, description: 'Whether an earlier call with the same key made the batch.' },
});
export const FreezeBatchPayloadType = payloadType('FreezeBatch', FREEZE_BATCH_REFUSALS, { batch });
export const UnfreezeBatchPayloadType = payloadType('UnfreezeBatch', UNFREEZE_BATCH_REFUSALS, { batch });
export const ActivateBatchPayloadType = payloadType('ActivateBatch', ACTIVATE_BATCH_REFUSALS, { batch });
export const ExtendBatchPayloadType = payloadType('ExtendBatch', EXTEND_BATCH_REFUSALS, { batch });
export const VoidBatchPayloadType = payloadType('VoidBatch', VOID_BATCH_REFUSALS, { batch });
export const CancelBatchPayloadType = payloadType('CancelBatch', CANCEL_BATCH_REFUSALS, { batch });
