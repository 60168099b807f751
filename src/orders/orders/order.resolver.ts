import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, ID, Info, Query, Resolver, Root } from 'type-graphql';
import { requireActor } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import { ListArgs, type ListPageOf } from '../../graphql/page.js';
import { rangeOf } from '../../graphql/selects.js';
import type { PersonActor } from '../../graphql/actor.js';
import type { OrderDetails } from './order-details.js';
import { OrderFilterInput } from './order-input.types.js';
import type { Order } from './order.entity.js';
import type { OrderService, DeferredOrders } from './order.service.js';
import { OrderCouponType, OrderObjectType, OrderPageType, OrderRefundType } from './order.types.js';

@Resolver(() => OrderObjectType)
export class OrderResolver {
  constructor(
    private readonly service: OrderService,
    private readonly details: OrderDetails,
    private readonly deferred: DeferredOrders,
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
    @Args(() => ListArgs) page: ListArgs,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ListPageOf<OrderObjectType>> {
    const actor = requireActor(context);
    const userId = ownOrdersOf(actor) ?? filter?.userId;
    return this.service.list(actor.tenantId, rangeOf(page, info), { ...filter, userId });
  }

  @FieldResolver(() => String, { description: 'The number shown to people; for a redemption also its id.' })
  orderNo(@Root() order: OrderObjectType): string {
    return order.id;
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
