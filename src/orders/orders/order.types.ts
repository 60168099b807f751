import { Field, ID, ObjectType } from 'type-graphql';
import { enumFromValues } from '../../graphql/enums.js';
import { nullable } from '../../graphql/nullable.js';
import { listPageOf } from '../../graphql/page.js';
import { DecimalScalar, InstantScalar } from '../../graphql/scalars.js';
import { ORDER_STATUSES, ORDER_TYPES, type OrderStatus, type OrderType } from './order.entity.js';

const OrderTypeEnum = enumFromValues('OrderType', ORDER_TYPES, 'What was acquired, and how.');
const OrderStatusEnum = enumFromValues('OrderStatus', ORDER_STATUSES, 'The state of an order.');

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

  @Field(() => DecimalScalar, { description: 'The price paid; 0 for a redemption.' })
  amount!: string;

  @Field(() => Boolean, {
    description: 'Whether it is the first purchase of the user. A redemption does not count as one.',
  })
  isNew!: boolean;

  @Field(() => ID, nullable('The subscription it started or extended.'))
  subscriptionId?: string | null | undefined;

  @Field(() => InstantScalar)
  createdAt!: Date;

  @Field(() => InstantScalar, { nullable: true })
  finishedAt?: Date | null | undefined;
}

export const OrderPageType = listPageOf(OrderObjectType, 'OrderPage');
