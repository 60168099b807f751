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
import { PAYMENT_STATES } from './payment-state.js';

export const OrderTypeEnum = enumFromValues('OrderType', ORDER_TYPES, 'The type of an order.');
export const OrderStatusEnum = enumFromValues('OrderStatus', ORDER_STATUSES, 'The state of an order.', {
  PENDING: 'Not paid yet, or a redemption that is still PROCESSING.',
  PAID: 'Paid and being delivered.',
  CLOSED: 'Not paid in time, or cancelled. Coupons, points and inventory were returned.',
  FAILED:
    'Paid when delivery was no longer possible: the amount was credited to the balance. Or a redemption that was abandoned.',
  FINISHED: 'Paid and delivered.',
  REFUNDED: 'Refunded in full, or a reversed redemption.',
});
export const OrderSourceEnum = enumFromValues('OrderSource', ORDER_SOURCES, 'The channel of an order.');
export const PaymentStateEnum = enumFromValues(
  'OrderPaymentState',
  PAYMENT_STATES,
  'What has become of the money of a placed order.',
  {
    UNPAID:
      'No payment was accepted. Money that came too late, for a CLOSED or a FAILED order, was credited to the balance.',
    PAID: 'Paid, and nothing of it was refunded.',
    PARTLY_REFUNDED: 'A part was refunded.',
    REFUNDED: 'Refunded in full.',
  },
);
const CloseReasonEnum = enumFromValues('OrderCloseReason', CLOSE_CAUSES, 'Why an order was closed.', {
  TIMEOUT: 'It was not paid in time.',
  USER: 'Its user cancelled it.',
  STAFF: 'Staff cancelled it.',
  FAILED: 'Delivery was no longer possible when the payment arrived.',
});

@ObjectType('OrderCoupon', { description: 'The discount of one coupon on an order.' })
export class OrderCouponType {
  @Field(() => ID)
  couponId!: string;

  @Field(() => DecimalScalar)
  amount!: string;
}

@ObjectType('OrderRefund', { description: 'A refund of an order to the balance.' })
export class OrderRefundType {
  @Field(() => Int, { description: 'From 1.' })
  refundNo!: number;

  @Field(() => DecimalScalar)
  amount!: string;

  @Field(() => String)
  reason!: string;

  @Field(() => String, nullable('Subscription time that was already used and could not be taken back.'))
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
    description: 'The amount to pay: the total minus discount and points; 0 for a redemption.',
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

  @Field(() => OrderSourceEnum, nullable('Null for a redemption, as are all fields below.'))
  sourceType?: OrderSource | null | undefined;

  @Field(() => ID, nullable('Null for a RECHARGE.'))
  planId?: string | null | undefined;

  @Field(() => Int, { nullable: true })
  quantity?: number | null | undefined;

  @Field(
    () => ID,
    nullable('Facility of the account that pays, receives refunds and is filled by a RECHARGE.'),
  )
  facilityId?: string | null | undefined;

  @Field(() => String, { nullable: true })
  currency?: string | null | undefined;

  @Field(() => DecimalScalar, nullable('The price before coupons and points.'))
  total?: string | null | undefined;

  @Field(() => DecimalScalar, nullable('The discount of all coupons.'))
  discount?: string | null | undefined;

  @Field(() => Int, nullable('Points spent on the order.'))
  pointsSpent?: number | null | undefined;

  @Field(() => DecimalScalar, nullable('The amount refunded so far.'))
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

  @Field(() => [OrderCouponType], { description: 'The amounts returned to coupons.' })
  coupons!: OrderCouponType[];

  @Field(() => Int, { description: 'Points returned.' })
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
