import { z } from 'zod';
import { Money } from '../../platform/decimal.js';
import { DomainError } from '../../platform/errors.js';
import { isId } from '../../platform/ids.js';
import { countNumber, foreignKeyText, nameText, orElse, parseInput } from '../../platform/input.js';
import type { PlanSaleKind } from '../../subscriptions/plan-sale.service.js';
import { PLACED_TYPES, type OrderSource } from './order.entity.js';
import type { PlaceOrderRefusal, RefundOrderRefusal } from './order.errors.js';

/** Sources that users order from; orders of the others are made by the feature that has their clean-up, too. */
const USER_SOURCES = ['MALL', 'GAME_PASS'] as const satisfies readonly OrderSource[];
const QUANTITY_MAX = 1_000_000;
const POINTS_MAX = 1_000_000_000;

const POSITIVE = /^(?!0*(?:\.0*)?$)[0-9]{1,20}(?:\.[0-9]{1,10})?$/;
/** In one spelling: a repeated call may write 10.00 where the first wrote 10. */
const amount = z
  .string()
  .regex(POSITIVE, 'must be a decimal such as 9.90, more than 0')
  .transform((text) => new Money(text).toFixed());
const key = foreignKeyText.nullish().transform((text) => text ?? null);

/** In the order of precedence of the refusals. */
const placeOrderInput = z.strictObject({
  type: z.enum(PLACED_TYPES, `must be one of ${PLACED_TYPES.join(', ')}`),
  sourceType: orElse(z.enum(USER_SOURCES, `must be one of ${USER_SOURCES.join(', ')}`), 'MALL'),
  quantity: orElse(countNumber(1, QUANTITY_MAX), 1),
  amount: orElse(amount, null),
  points: orElse(countNumber(0, POINTS_MAX), 0),
  planId: orElse(z.string().max(24), null),
  facilityId: orElse(z.string().max(24), null),
  currency: orElse(z.string().max(8), null),
  couponIds: z
    .array(z.string().max(24))
    .nullish()
    .transform((ids) => ids ?? []),
  idempotencyKey: key,
});

export type PlaceOrder = Readonly<z.output<typeof placeOrderInput>>;
/** A checked order of a plan. */
export type PlanOrder = PlaceOrder & { readonly type: PlanSaleKind; readonly planId: string };
/** A checked order that fills the user's balance. */
export type RechargeOrder = PlaceOrder & { readonly type: 'RECHARGE'; readonly amount: string };
export type CheckedOrder = PlanOrder | RechargeOrder;

/** @throws DomainError with a code of `PLACE_ORDER_REFUSALS`: the first that applies, and the field at fault */
export function checkOrder(input: unknown): CheckedOrder {
  const order = parseInput<typeof placeOrderInput, PlaceOrderRefusal>(placeOrderInput, input, {
    type: 'ORDER_TYPE_NOT_ALLOWED',
    sourceType: 'SOURCE_TYPE_NOT_ALLOWED',
    quantity: 'QUANTITY_OUT_OF_RANGE',
    amount: 'AMOUNT_OUT_OF_RANGE',
    points: 'POINTS_OUT_OF_RANGE',
    idempotencyKey: 'IDEMPOTENCY_KEY_MALFORMED',
    input: 'INPUT_NOT_ALLOWED',
  });
  return order.type === 'RECHARGE' ? asRecharge(order) : asPlanOrder(order);
}

/** Paid in full: coupons and points would become money that can be transferred. */
function asRecharge(order: PlaceOrder): RechargeOrder {
  const { type, amount: wanted, planId, quantity, couponIds, points } = order;
  if (type !== 'RECHARGE' || wanted === null) return refuse('A recharge takes an amount.', 'amount');
  if (planId !== null || quantity !== 1) refuse('A recharge takes no plan and no quantity.', 'planId');
  if (couponIds.length > 0 || points > 0) refuse('A recharge takes no coupons and no points.', 'couponIds');
  return { ...order, type, amount: wanted };
}

function asPlanOrder(order: PlaceOrder): PlanOrder {
  const { type, amount: unwanted, planId } = order;
  if (type === 'RECHARGE' || planId === null)
    return refuse('Give planId: this order type needs a plan.', 'planId');
  if (unwanted !== null) refuse('Only a recharge takes an amount.', 'amount');
  return { ...order, type, planId };
}

function refuse(message: string, field: keyof PlaceOrder): never {
  const code: PlaceOrderRefusal = 'INPUT_NOT_ALLOWED';
  throw new DomainError(code, message, { field: ['input', field] });
}

/** In the order of precedence of the refusals. */
const refundOrderInput = z.strictObject({
  reason: nameText(255),
  amount: orElse(amount, null),
  keepsSubscription: orElse(z.boolean(), false),
  orderNo: z.string().max(24),
  idempotencyKey: key,
});

export type RefundOrder = Readonly<z.output<typeof refundOrderInput>>;

/** @throws DomainError with a code of `REFUND_ORDER_REFUSALS`: the first that applies, and the field at fault */
export function checkRefund(input: unknown): RefundOrder {
  return parseInput<typeof refundOrderInput, RefundOrderRefusal>(refundOrderInput, input, {
    reason: 'REASON_NOT_ALLOWED',
    amount: 'AMOUNT_OUT_OF_RANGE',
    idempotencyKey: 'IDEMPOTENCY_KEY_MALFORMED',
    input: 'INPUT_NOT_ALLOWED',
  });
}

/** What a provider tells. @returns null where it is not of this form */
export function readPayment(body: unknown): IncomingPayment | null {
  const parsed = incomingPayment.safeParse(body);
  return parsed.success ? parsed.data : null;
}

const incomingPayment = z.strictObject({
  paymentId: foreignKeyText,
  orderNo: z.string().refine(isId),
  amount,
  currency: z.string().min(1).max(8),
});
export type IncomingPayment = Readonly<z.output<typeof incomingPayment>>;
