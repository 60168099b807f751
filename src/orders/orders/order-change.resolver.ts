import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { requireActor, requireStaff, requireUser } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import { idempotencyKeyOf } from '../../graphql/idempotency-key.js';
import { answer } from '../../graphql/payload.js';
import type { OrderClosing } from './order-closing.service.js';
import { CancelOrderInput, PayOrderInput, PlaceOrderInput, RefundOrderInput } from './order-input.types.js';
import type { OrderPaymentService } from './order-payment.service.js';
import type { OrderPlacementService } from './order-placement.service.js';
import type { OrderRefundService } from './order-refund.service.js';
import {
  CancelOrderPayloadType,
  PayOrderPayloadType,
  PlaceOrderPayloadType,
  RefundOrderPayloadType,
} from './order.types.js';

export interface OrderChanges {
  readonly placements: OrderPlacementService;
  readonly payments: OrderPaymentService;
  readonly closing: OrderClosing;
  readonly refunds: OrderRefundService;
}

@Resolver()
export class OrderChangeResolver {
  constructor(private readonly its: OrderChanges) {}

  @Mutation(() => PlaceOrderPayloadType, {
    description:
      'Places an order. Inventory, coupons and points are reserved until the order is paid or closed. If nothing is left to pay, the order is FINISHED at once.',
  })
  async placeOrder(
    @Arg('input', () => PlaceOrderInput) input: PlaceOrderInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId, userId } = requireUser(context);
    return answer(async () => {
      const idempotencyKey = idempotencyKeyOf(context, input);
      return { order: await this.its.placements.place(tenantId, userId, { ...input, idempotencyKey }) };
    });
  }

  @Mutation(() => PayOrderPayloadType, {
    description:
      "Pays one's own order from the balance. Paying it again changes nothing. A RECHARGE is paid to the payment provider instead.",
  })
  async payOrder(
    @Arg('input', () => PayOrderInput) { orderNo }: PayOrderInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId, userId } = requireUser(context);
    return answer(async () => ({ order: await this.its.payments.pay(tenantId, userId, orderNo) }));
  }

  @Mutation(() => CancelOrderPayloadType, {
    description:
      "Cancels one's own unpaid order; OWNER and OPERATOR can cancel any order of the tenant. Cancelling it again changes nothing.",
  })
  async cancelOrder(
    @Arg('input', () => CancelOrderInput) { orderNo }: CancelOrderInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const actor = requireActor(context);
    const userId = actor.kind === 'USER' ? actor.userId : null;
    return answer(async () => ({ order: await this.its.closing.cancel(actor.tenantId, orderNo, userId) }));
  }

  @Mutation(() => RefundOrderPayloadType, {
    description:
      'Refunds a paid order to the balance, in part or in full. A full refund also returns coupons and points and takes the subscription time back. For OWNER and OPERATOR.',
  })
  async refundOrder(
    @Arg('input', () => RefundOrderInput) input: RefundOrderInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId, staffId } = requireStaff(context);
    return answer(async () => {
      const idempotencyKey = idempotencyKeyOf(context, input);
      return this.its.refunds.refund(tenantId, staffId, { ...input, idempotencyKey });
    });
  }
}
