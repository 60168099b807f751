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
  description: 'A coupon of a user, with the terms that its template had when it was issued.',
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

  @Field(() => String, { description: 'The coupon applies to orders in this currency only.' })
  currency!: string;

  @Field(() => DecimalScalar, {
    description: 'AMOUNT: the initial balance. THRESHOLD: the discount. RATE: 0.',
  })
  amount!: string;

  @Field(() => DecimalScalar, { description: 'THRESHOLD: the minimum total of an order. Other kinds: 0.' })
  minimum!: string;

  @Field(() => Int, {
    description: 'RATE: the discount in per mille of the original total. Other kinds: 0.',
  })
  rateMille!: number;

  @Field(() => DecimalScalar, { description: 'AMOUNT: the remaining balance. Other kinds: 0.' })
  balance!: string;

  @Field(() => CouponStatusEnum)
  status!: CouponStatus;

  @Field(() => ID, nullable('The order that holds a RESERVED coupon.'))
  reservedOrderId?: string | null | undefined;

  @Field(() => ID, nullable('The order that used it up.'))
  usedOrderId?: string | null | undefined;

  @Field(() => InstantScalar, nullable('Valid before this instant; null means that it never expires.'))
  expiresAt?: Date | null | undefined;

  @Field(() => InstantScalar)
  createdAt!: Date;
}

export const CouponPageType = listPageOf(CouponType, 'CouponPage');

@InputType()
export class MyCouponFilterInput {
  @Field(() => CouponStatusEnum, nullable('The status at the time of the request.'))
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
    nullable('A repeated key returns the same result. If missing, the header idempotency-key is used.'),
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
