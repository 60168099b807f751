import { Field, ID, Int, ObjectType } from 'type-graphql';
import { enumFromValues } from '../../graphql/enums.js';
import { nullable } from '../../graphql/nullable.js';
import { listPageOf } from '../../graphql/page.js';
import { payloadType } from '../../graphql/payload-type.js';
import { PushedEvent } from '../../graphql/pushed-event.js';
import { DecimalScalar, InstantScalar } from '../../graphql/scalars.js';
import {
  CLOSE_CAUSES,
  ORDER_SOURCES,
  ORDER_STATUSES,
  ORDER_TYPES,
  type CloseCause,
  type OrderSource,
  type OrderStatus,
  type OrderType,
} from './order.entity.js';
import {
  CANCEL_ORDER_REFUSALS,
  PAY_ORDER_REFUSALS,
  PLACE_ORDER_REFUSALS,
  REFUND_ORDER_REFUSALS,
} from './order.errors.js';

export const OrderTypeEnum = enumFromValues('OrderType', ORDER_TYPES, 'What was acquired, and how.');
export const OrderStatusEnum = enumFromValues('OrderStatus', ORDER_STATUSES, 'The state of an order.', {
  PENDING: 'To be paid, or a redemption that is still PROCESSING.',
  PAID: 'Paid; what was bought is being delivered.',
  CLOSED: 'Not paid in time, or cancelled. Coupons, points and inventory have come back.',
  FAILED:
    'Paid when it could not be delivered any more; the balance got the money. Or a redemption that was given up.',
  FINISHED: 'Paid and delivered.',
  REFUNDED: 'All that was paid has gone back.',
});
export const OrderSourceEnum = enumFromValues('OrderSource', ORDER_SOURCES, 'Where an order was placed.');
const CloseReasonEnum = enumFromValues('OrderCloseReason', CLOSE_CAUSES, 'Why an order was closed.', {
  TIMEOUT: 'It was not paid in time.',
  USER: 'Its user cancelled it.',
  STAFF: 'Staff cancelled it.',
  FAILED: 'What was bought could not be delivered any more when the payment came.',
});

@ObjectType('OrderCoupon', { description: 'What one coupon took off an order.' })
export class OrderCouponType {
  @Field(() => ID)
  couponId!: string;

  @Field(() => DecimalScalar)
  amount!: string;
}

@ObjectType('OrderRefund', { description: 'Money of an order that went back to the balance.' })
export class OrderRefundType {
  @Field(() => Int, { description: 'From 1.' })
  refundNo!: number;

  @Field(() => DecimalScalar)
  amount!: string;

  @Field(() => String)
  reason!: string;

  @Field(() => String, nullable('What could not be taken back of the subscription, because it was used.'))
  debt?: string | null | undefined;

  @Field(() => InstantScalar)
  createdAt!: Date;
}

// Named after the entity and not after the kind of an order, which is the enum OrderType.
@ObjectType('Order', { description: 'One acquisition, paid or redeemed.' })
export class OrderObjectType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  userId!: string;

  @Field(() => OrderTypeEnum)
  type!: OrderType;

  @Field(() => OrderStatusEnum)
  status!: OrderStatus;

  @Field(() => DecimalScalar, {
    description: 'What is to be paid, or was: the total without discount and points; 0 for a redemption.',
  })
  amount!: string;

  @Field(() => Boolean, {
    description:
      'Whether it is the first purchase of the user, as the payment found it. A redemption does not count as one; a purchase that was refunded still does.',
  })
  isNew!: boolean;

  @Field(() => ID, nullable('The subscription it started or extended.'))
  subscriptionId?: string | null | undefined;

  @Field(() => InstantScalar)
  createdAt!: Date;

  @Field(() => InstantScalar, { nullable: true })
  finishedAt?: Date | null | undefined;

  @Field(() => OrderSourceEnum, nullable('Null for a redemption, as all that follows.'))
  sourceType?: OrderSource | null | undefined;

  @Field(() => ID, nullable('Null for a RECHARGE.'))
  planId?: string | null | undefined;

  @Field(() => Int, { nullable: true })
  quantity?: number | null | undefined;

  @Field(
    () => ID,
    nullable('With the currency: the account that pays, that refunds go to, and that a RECHARGE fills.'),
  )
  facilityId?: string | null | undefined;

  @Field(() => String, { nullable: true })
  currency?: string | null | undefined;

  @Field(() => DecimalScalar, nullable('The price before coupons and points.'))
  total?: string | null | undefined;

  @Field(() => DecimalScalar, nullable('What coupons take off.'))
  discount?: string | null | undefined;

  @Field(() => Int, nullable('Points that pay the rest beside `amount`.'))
  pointsSpent?: number | null | undefined;

  @Field(() => DecimalScalar, nullable('What has gone back to the balance of what was paid.'))
  refunded?: string | null | undefined;

  @Field(() => InstantScalar, { nullable: true })
  paidAt?: Date | null | undefined;

  @Field(() => InstantScalar, { nullable: true })
  closedAt?: Date | null | undefined;

  @Field(() => CloseReasonEnum, { nullable: true })
  closeReason?: CloseCause | null | undefined;
}

export const OrderPageType = listPageOf(OrderObjectType, 'OrderPage');

@ObjectType({
  description: 'An order was closed, or failed. Pushed after the commit; drop duplicates by eventId.',
})
export class OrderClosedEvent extends PushedEvent {
  @Field(() => ID)
  userId!: string;

  @Field(() => ID)
  orderNo!: string;

  @Field(() => OrderTypeEnum)
  type!: OrderType;

  @Field(() => OrderStatusEnum)
  status!: OrderStatus;

  @Field(() => CloseReasonEnum)
  closeReason!: CloseCause;

  @Field(() => [OrderCouponType], { description: 'What came back to coupons.' })
  coupons!: OrderCouponType[];

  @Field(() => Int, { description: 'Points that came back.' })
  points!: number;
}

const order = { type: () => OrderObjectType };

export const PlaceOrderPayloadType = payloadType('PlaceOrder', PLACE_ORDER_REFUSALS, { order });
export const PayOrderPayloadType = payloadType('PayOrder', PAY_ORDER_REFUSALS, { order });
export const CancelOrderPayloadType = payloadType('CancelOrder', CANCEL_ORDER_REFUSALS, { order });
export const RefundOrderPayloadType = payloadType('RefundOrder', REFUND_ORDER_REFUSALS, {
  order,
  refund: { type: () => OrderRefundType },
});
