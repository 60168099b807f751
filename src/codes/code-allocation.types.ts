import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { enumFromValues } from '../graphql/enums.js';
import { nullable } from '../graphql/nullable.js';
import { payloadType } from '../graphql/payload-type.js';
import { InstantScalar } from '../graphql/scalars.js';
import { BatchType } from './batch.types.js';
import {
  ADD_CODES_REFUSALS,
  ALLOCATE_CODES_REFUSALS,
  SET_CODE_POOL_REFUSALS,
} from './code-allocation.errors.js';
import { RECEIVER_TYPES, type ReceiverType } from './code-allocation.entity.js';

const KEY_DESCRIPTION = 'A repeated key answers the same. If missing, the header idempotency-key is used.';

const ReceiverTypeEnum = enumFromValues(
  'ReceiverType',
  RECEIVER_TYPES,
  'Codes of a USER can be redeemed by that user alone; a CHANNEL hands its codes on.',
);

@ObjectType('CodePool', { description: 'Codes made ahead, from which allocateCodes hands out.' })
export class CodePoolType {
  @Field(() => ID)
  campaignId!: string;

  @Field(() => Int, { description: 'How many free codes the pool is kept at; 0 means it is not refilled.' })
  size!: number;

  @Field(() => Int, { description: 'Codes that can be allocated now.' })
  free!: number;

  @Field(() => String, nullable('Why the last refill was refused, for example TENANT_QUOTA_EXCEEDED.'))
  refusal?: string | null;
}

@ObjectType('CodeAllocation', { description: 'Codes that one receiver got together.' })
class CodeAllocationType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  campaignId!: string;

  @Field(() => ReceiverTypeEnum)
  receiverType!: ReceiverType;

  @Field(() => String, { description: "The user's id, or the name of the channel." })
  receiver!: string;

  @Field(() => Int)
  count!: number;

  @Field(() => InstantScalar)
  createdAt!: Date;
}

@InputType()
export class SetCodePoolInput {
  @Field(() => ID)
  campaignId!: string;

  @Field(() => Int, { description: '0 to 100,000; 0 stops refills, and leaves the free codes.' })
  size!: number;
}

@InputType()
export class AllocateCodesInput {
  @Field(() => ID)
  campaignId!: string;

  @Field(() => Int, { description: '1 to 1,000.' })
  count!: number;

  @Field(() => ID, nullable('The user who alone may redeem the codes. Either this or a channel.'))
  userId?: string | null;

  @Field(() => String, nullable('The channel that hands the codes on: 1 to 64 characters.'))
  channel?: string | null;

  @Field(() => String, nullable(KEY_DESCRIPTION))
  idempotencyKey?: string | null;
}

@InputType()
export class AddCodesInput {
  @Field(() => ID)
  campaignId!: string;

  @Field(() => [String], { description: '1 to 1,000 texts of letters A to Z, digits and hyphens.' })
  codes!: string[];

  @Field(() => Int, nullable("Uses of each code, 0 unlimited; missing means the campaign's rule."))
  useLimit?: number | null;

  @Field(() => ID, nullable('Only this user may redeem them; missing means every user.'))
  assignedUserId?: string | null;

  @Field(() => String, nullable(KEY_DESCRIPTION))
  idempotencyKey?: string | null;
}

export const SetCodePoolPayloadType = payloadType('SetCodePool', SET_CODE_POOL_REFUSALS, {
  pool: { type: () => CodePoolType },
});
export const AllocateCodesPayloadType = payloadType('AllocateCodes', ALLOCATE_CODES_REFUSALS, {
  allocation: { type: () => CodeAllocationType },
  codes: { type: () => [String], description: 'The codes, each of which no other receiver got.' },
  replayed: {
    type: () => Boolean,
    description: 'Whether an earlier call with the same key made the allocation.',
  },
});
export const AddCodesPayloadType = payloadType('AddCodes', ADD_CODES_REFUSALS, {
  batch: { type: () => BatchType },
  replayed: { type: () => Boolean, description: 'Whether an earlier call with the same key made the batch.' },
});
