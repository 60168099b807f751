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
      'Reserves a plan, coupons and points until the order is paid, closed or cancelled. FINISHED at once where nothing is left to pay.',
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
      "Pays one's own order from the balance. One that is paid stays as it is. A RECHARGE is paid to the provider.",
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
      "Closes one's own order that is not paid; for OWNER and OPERATOR any of the tenant. One that is closed stays as it is.",
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
      'Gives what was paid back to the balance, in part or all of it. With the last part coupons and points come back, and the subscription loses its time. For OWNER and OPERATOR.',
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
