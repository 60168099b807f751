import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { enumFromValues } from '../../graphql/enums.js';
import { nullable } from '../../graphql/nullable.js';
import { listPageOf } from '../../graphql/page.js';
import { InstantScalar } from '../../graphql/scalars.js';
import { LIMIT_SCOPES, type LimitScope } from '../../limits/rate-limit.service.js';
import { REDEEM_REFUSAL_CODES, REDEEM_REFUSALS, type RedeemRefusal } from '../redemption.errors.js';

const RefusalEnum = enumFromValues(
  'RedeemCodeErrorCode',
  REDEEM_REFUSAL_CODES,
  'Why a code was not redeemed, in order of precedence.',
  REDEEM_REFUSALS,
);
const LimitScopeEnum = enumFromValues('LimitScope', LIMIT_SCOPES, 'Whose attempts a limit counts.');

@ObjectType('RefusedAttempt', { description: 'An attempt to redeem or preview a code that was refused.' })
export class RefusedAttemptType {
  @Field(() => ID)
  id!: string;

  @Field(() => InstantScalar)
  refusedAt!: Date;

  @Field(() => ID)
  userId!: string;

  @Field(() => String, nullable('The header x-product-code, up to 16 characters.'))
  productCode?: string | null;

  @Field(() => String, nullable('The header x-device-id.'))
  deviceId?: string | null;

  @Field(() => String, nullable("The client's address; of IPv6 its network."))
  address?: string | null;

  @Field(() => Boolean, { description: 'Whether it was a preview.' })
  isPreview!: boolean;

  @Field(() => RefusalEnum, { description: 'The reason, also where the caller was answered CODE_REFUSED.' })
  refusal!: RedeemRefusal;

  @Field(() => LimitScopeEnum, nullable('For RATE_LIMITED: whose limit it was.'))
  limitedBy?: LimitScope | null;

  @Field(() => Int, nullable('For RATE_LIMITED: how long the caller had to wait.'))
  retryAfterMs?: number | null;

  @Field(() => Int, {
    description: 'Further refusals of the same user within ten seconds, which are not kept one by one.',
  })
  further!: number;
}

export const RefusedAttemptPageType = listPageOf(RefusedAttemptType, 'RefusedAttemptPage');

@InputType()
export class RefusedAttemptFilter {
  @Field(() => ID, nullable('The user who tried.'))
  userId?: string | null;

  @Field(() => String, nullable("The same by the id in the tenant's own system."))
  externalUserId?: string | null;

  @Field(() => String, nullable('The code as the customer typed it; found by its digest.'))
  code?: string | null;

  @Field(() => RefusalEnum, nullable('The reason.'))
  refusal?: RedeemRefusal | null;

  @Field(() => InstantScalar, nullable('Refused at this instant or later.'))
  from?: Date | null;

  @Field(() => InstantScalar, nullable('Refused before this instant.'))
  before?: Date | null;
}
