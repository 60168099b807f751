import { Field, ID, InputType, Int } from 'type-graphql';
import { nullable } from '../../graphql/nullable.js';
import { DecimalScalar, InstantScalar } from '../../graphql/scalars.js';
import type { OrderSource, OrderStatus, OrderType } from './order.entity.js';
import { OrderSourceEnum, OrderStatusEnum, OrderTypeEnum, PaymentStateEnum } from './order.types.js';
import type { PaymentState } from './payment-state.js';

const KEY = 'The same key and arguments answer the same again. 1 to 64 visible characters; or the header.';

@InputType()
export class PlaceOrderInput {
  @Field(() => OrderTypeEnum, {
    description: 'PURCHASE, RENEWAL or RESET_TRAFFIC for a plan; RECHARGE for the balance.',
  })
  type!: OrderType;

  @Field(() => OrderSourceEnum, nullable('MALL or GAME_PASS; missing means MALL.'))
  sourceType?: OrderSource | null;

  @Field(() => ID, nullable('Required, except for a RECHARGE.'))
  planId?: string | null;

  @Field(() => Int, nullable('Units of the plan; missing means 1.'))
  quantity?: number | null;

  @Field(() => DecimalScalar, nullable('RECHARGE only: the amount to pay and to add to the balance.'))
  amount?: string | null;

  @Field(() => ID, nullable("Whose account pays; missing means the tenant's only facility."))
  facilityId?: string | null;

  @Field(
    () => String,
    nullable("What it is paid in; missing means that of the plan's prices, else the tenant's only currency."),
  )
  currency?: string | null;

  @Field(() => [ID], nullable("One's own coupons, applied in this order."))
  couponIds?: string[] | null;

  @Field(() => Int, nullable('Points to spend on the amount that remains after the coupons.'))
  points?: number | null;

  @Field(() => String, nullable(KEY))
  idempotencyKey?: string | null;
}

@InputType()
export class PayOrderInput {
  @Field(() => ID)
  orderNo!: string;
}

@InputType()
export class CancelOrderInput {
  @Field(() => ID)
  orderNo!: string;
}

@InputType()
export class RefundOrderInput {
  @Field(() => ID)
  orderNo!: string;

  @Field(() => DecimalScalar, nullable('Missing means the whole amount that has not been refunded yet.'))
  amount?: string | null;

  @Field(() => String, { description: '1 to 255 characters.' })
  reason!: string;

  @Field(
    () => Boolean,
    nullable(
      'Whether the subscription keeps the time that it got when all is refunded. Missing means that it loses it.',
    ),
  )
  keepsSubscription?: boolean | null;

  @Field(() => String, nullable(KEY))
  idempotencyKey?: string | null;
}

@InputType()
export class OrderFilterInput {
  @Field(() => ID, nullable('For staff; users see their own in any case.'))
  userId?: string | null;

  @Field(() => String, nullable("The user's id in the tenant's own system. For staff."))
  externalUserId?: string | null;

  @Field(() => String, nullable('The whole number.'))
  orderNo?: string | null;

  @Field(() => OrderStatusEnum, { nullable: true })
  status?: OrderStatus | null;

  @Field(() => OrderTypeEnum, { nullable: true })
  type?: OrderType | null;

  @Field(() => PaymentStateEnum, nullable('Finds placed orders only.'))
  paymentState?: PaymentState | null;

  @Field(() => InstantScalar, nullable('Made at this instant or later.'))
  from?: Date | null;

  @Field(() => InstantScalar, nullable('Made before this instant.'))
  before?: Date | null;

  @Field(() => ID, nullable('Of redemptions of this campaign.'))
  campaignId?: string | null;

  @Field(() => String, nullable('Of redemptions at this product line.'))
  productCode?: string | null;

  @Field(
    () => String,
    nullable(
      'Of redemptions of a code: the text that a customer typed, as in `codes`. Of no effect for users.',
    ),
  )
  part?: string | null;
}
