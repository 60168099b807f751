import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, ID, Info, Query, Resolver, Root } from 'type-graphql';
import { requireActor } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import { SortedListArgs, type ListPageOf } from '../../graphql/page.js';
import { nullable } from '../../graphql/nullable.js';
import { rangeOf } from '../../graphql/selects.js';
import type { PersonActor } from '../../graphql/actor.js';
import type { OrderDetails } from './order-details.js';
import { OrderFilterInput } from './order-input.types.js';
import { listOrders, type OrderLists } from './order-queries.js';
import type { Order } from './order.entity.js';
import type { OrderService, DeferredOrders } from './order.service.js';
import {
  OrderCouponType,
  OrderObjectType,
  OrderPageType,
  OrderRefundType,
  PaymentStateEnum,
} from './order.types.js';
import { paymentStateOf, type PaymentState } from './payment-state.js';

@Resolver(() => OrderObjectType)
export class OrderResolver {
  constructor(
    private readonly service: OrderService,
    private readonly details: OrderDetails,
    private readonly deferred: DeferredOrders,
    private readonly lists: OrderLists,
  ) {}

  @Query(() => OrderObjectType, {
    nullable: true,
    description:
      "One's own order; staff see any of the tenant. The order of a redemption is PENDING while the redemption is PROCESSING, then FINISHED or FAILED.",
  })
  async order(
    @Arg('orderNo', () => ID) orderNo: string,
    @Ctx() context: RequestContext,
  ): Promise<OrderObjectType | null> {
    const actor = requireActor(context);
    return this.service.find(actor.tenantId, orderNo, ownOrdersOf(actor), this.deferred);
  }

  @Query(() => OrderPageType, { description: "One's own orders; staff see all of the tenant." })
  async orders(
    @Arg('filter', () => OrderFilterInput, { nullable: true }) filter: OrderFilterInput | null,
    @Args(() => SortedListArgs) page: SortedListArgs,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ListPageOf<OrderObjectType>> {
    return listOrders(this.lists, requireActor(context), filter ?? {}, rangeOf(page, info));
  }

  @FieldResolver(() => String, { description: 'The number shown to people; for a redemption also its id.' })
  orderNo(@Root() order: OrderObjectType): string {
    return order.id;
  }

  @FieldResolver(() => PaymentStateEnum, nullable('Null for a redemption, which nothing is paid for.'))
  paymentState(@Root() order: Order): PaymentState | null {
    return paymentStateOf(order);
  }

  @FieldResolver(() => [OrderCouponType], { description: 'The discount of each coupon.' })
  async coupons(@Root() order: Order): Promise<OrderCouponType[]> {
    return this.details.couponsOf(order);
  }

  @FieldResolver(() => [OrderRefundType])
  async refunds(@Root() order: Order): Promise<OrderRefundType[]> {
    return this.details.refundsOf(order);
  }
}

function ownOrdersOf(actor: PersonActor): string | null {
  return actor.kind === 'USER' ? actor.userId : null;
}
