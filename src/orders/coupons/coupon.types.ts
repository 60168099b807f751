import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { enumFromValues } from '../../graphql/enums.js';
import { nullable } from '../../graphql/nullable.js';
import { listPageOf } from '../../graphql/page.js';
import { payloadType } from '../../graphql/payload-type.js';
import { DecimalScalar, InstantScalar } from '../../graphql/scalars.js';
import { COUPON_KINDS, type CouponKind } from './coupon-template.entity.js';
import { ISSUE_COUPON_REFUSALS } from './coupon.errors.js';
import { COUPON_STATUSES, type CouponStatus } from './user-coupon.entity.js';

export const CouponKindEnum = enumFromValues(
  'CouponKind',
  COUPON_KINDS,
  'What a coupon takes off an order.',
  {
    AMOUNT: 'A balance, which can be used in parts.',
    THRESHOLD: 'An amount off a total that is not below the minimum.',
    RATE: 'A share of the original total.',
  },
);
const CouponStatusEnum = enumFromValues('CouponStatus', COUPON_STATUSES, 'The state of a coupon.', {
  RESERVED: 'An order that is not paid yet holds it.',
  EXPIRED: 'Also shown before the sweep has seen it.',
});

@ObjectType('Coupon', {
  description: 'A coupon of a user. Its terms are those of its template at the issue.',
})
export class CouponType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  userId!: string;

  @Field(() => ID)
  templateId!: string;

  @Field(() => CouponKindEnum)
  kind!: CouponKind;

  @Field(() => String, { description: 'Orders of other currencies do not take it.' })
  currency!: string;

  @Field(() => DecimalScalar, {
    description: 'The first balance of an AMOUNT, what a THRESHOLD takes off; 0 for a RATE.',
  })
  amount!: string;

  @Field(() => DecimalScalar, { description: 'The least total of a THRESHOLD; 0 for the others.' })
  minimum!: string;

  @Field(() => Int, {
    description: 'Per mille of the original total that a RATE takes off; 0 for the others.',
  })
  rateMille!: number;

  @Field(() => DecimalScalar, { description: 'What an AMOUNT has left; 0 for the others.' })
  balance!: string;

  @Field(() => CouponStatusEnum)
  status!: CouponStatus;

  @Field(() => ID, nullable('The order that holds a RESERVED coupon.'))
  reservedOrderId?: string | null | undefined;

  @Field(() => ID, nullable('The order that used it up.'))
  usedOrderId?: string | null | undefined;

  @Field(() => InstantScalar, nullable('The first instant at which it is no longer valid; null means never.'))
  expiresAt?: Date | null | undefined;

  @Field(() => InstantScalar)
  createdAt!: Date;
}

export const CouponPageType = listPageOf(CouponType, 'CouponPage');

@InputType()
export class MyCouponFilterInput {
  @Field(() => CouponStatusEnum, nullable('As it is shown at this instant.'))
  status?: CouponStatus | null;
}

@InputType()
export class CouponFilterInput extends MyCouponFilterInput {
  @Field(() => ID, { nullable: true })
  userId?: string | null;

  @Field(() => ID, { nullable: true })
  templateId?: string | null;
}

@InputType()
export class IssueCouponInput {
  @Field(() => ID)
  templateId!: string;

  @Field(() => ID, { description: 'The user who gets them.' })
  userId!: string;

  @Field(() => Int, nullable('1 to 100; missing means 1.'))
  count?: number | null;

  @Field(
    () => String,
    nullable('A repeated key answers the same. If missing, the header idempotency-key is used.'),
  )
  idempotencyKey?: string | null;
}

export const IssueCouponPayloadType = payloadType('IssueCoupon', ISSUE_COUPON_REFUSALS, {
  coupons: { type: () => [CouponType] },
  replayed: {
    type: () => Boolean,
    description: 'Whether an earlier call with the same key issued the coupons.',
  },
});
