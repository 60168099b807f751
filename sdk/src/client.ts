import { connectionOf } from './connection.js';
import { refusedError, type Refusal } from './errors.js';
import {
  CancelOrder,
  MyBalances,
  MyCoupons,
  MyPoints,
  MySubscriptions,
  Order,
  Orders,
  PayOrder,
  PlaceOrder,
  PreviewRedemption,
  Redemptions,
  type MyBalancesQuery,
  type MyBalancesQueryVariables,
  type MyCouponsQuery,
  type MyCouponsQueryVariables,
  type MyPointsQuery,
  type MySubscriptionsQuery,
  type OrderQuery,
  type OrdersQuery,
  type OrdersQueryVariables,
  type PlaceOrderInput,
  type PlaceOrderMutation,
  type PreviewRedemptionQuery,
  type RedemptionsQuery,
  type RedemptionsQueryVariables,
} from './generated/operations.js';
import type { Operation } from './operation.js';
import type { ClientOptions } from './options.js';
import { PendingRedemptions } from './pending.js';
import { randomKey } from './platform.js';
import { Redeemer, type RedeemOptions, type RedeemResult, type ResumedRedemption } from './redeem.js';
import { Tokens } from './tokens.js';
import { Transport, type CallOptions } from './transport.js';

export type PlacedOrder = NonNullable<PlaceOrderMutation['placeOrder']['order']>;

export interface MutateOptions extends CallOptions {
  /**
   * The mutation has an idempotency key, or changes nothing when it runs twice: the SDK may repeat it. Without it a
   * mutation is sent once.
   */
  readonly isRepeatable?: boolean;
}

/** A client for one user. All calls take a signal; failures are errors of `RedeemkitError`. */
export interface RedeemkitClient {
  /**
   * Redeems a code exactly once, and resolves with the outcome. Repeats the call with the same key while the network,
   * the server or its stores fail, and while the redemption is under way.
   * @throws UnsettledError where the outcome is still unknown at the deadline
   */
  redeemCode(code: string, options?: RedeemOptions): Promise<RedeemResult>;
  /** Settles the redemptions that this user began before a reload, an abort or an `UnsettledError`. */
  resumePending(options?: CallOptions): Promise<readonly ResumedRedemption[]>;
  /** What would happen; changes nothing. */
  previewRedemption(
    code: string,
    options?: CallOptions,
  ): Promise<PreviewRedemptionQuery['previewRedemption']>;
  redemptions(
    page?: RedemptionsQueryVariables,
    options?: CallOptions,
  ): Promise<RedemptionsQuery['redemptions']>;
  mySubscriptions(options?: CallOptions): Promise<MySubscriptionsQuery['mySubscriptions']>;
  myCoupons(page?: MyCouponsQueryVariables, options?: CallOptions): Promise<MyCouponsQuery['myCoupons']>;
  myPoints(options?: CallOptions): Promise<MyPointsQuery['myPoints']>;
  myBalances(page?: MyBalancesQueryVariables, options?: CallOptions): Promise<MyBalancesQuery['myBalances']>;
  orders(page?: OrdersQueryVariables, options?: CallOptions): Promise<OrdersQuery['orders']>;
  order(orderNo: string, options?: CallOptions): Promise<OrderQuery['order']>;
  /** Places it once: the SDK adds an idempotency key where the input has none. @throws RefusedError */
  placeOrder(input: PlaceOrderInput, options?: CallOptions): Promise<PlacedOrder>;
  /** Pays it from the balance; paying it again changes nothing. @throws RefusedError */
  payOrder(orderNo: string, options?: CallOptions): Promise<PlacedOrder>;
  /** @throws RefusedError */
  cancelOrder(orderNo: string, options?: CallOptions): Promise<PlacedOrder>;
  /** Any query; repeated while it may pass. */
  query<Result, Variables>(
    operation: Operation<Result, Variables>,
    variables: Variables,
    options?: CallOptions,
  ): Promise<Result>;
  /** Any mutation. Its refusals are in `errors` of its payload. */
  mutate<Result, Variables>(
    operation: Operation<Result, Variables>,
    variables: Variables,
    options?: MutateOptions,
  ): Promise<Result>;
}

/** @throws TypeError for options that cannot work */
export function createClient(options: ClientOptions): RedeemkitClient {
  const transport = new Transport(connectionOf(options), new Tokens(options.token));
  const redeemer = new Redeemer(
    transport,
    new PendingRedemptions(options.pendingStore),
    options.subscriptions,
  );
  return {
    redeemCode: async (code, more) => redeemer.redeem(code, more),
    resumePending: async (more) => redeemer.resume(more),
    previewRedemption: async (code, more) =>
      (await transport.repeat(PreviewRedemption, { code }, more)).previewRedemption,
    redemptions: async (page = {}, more) => (await transport.repeat(Redemptions, page, more)).redemptions,
    mySubscriptions: async (more) => (await transport.repeat(MySubscriptions, {}, more)).mySubscriptions,
    myCoupons: async (page = {}, more) => (await transport.repeat(MyCoupons, page, more)).myCoupons,
    myPoints: async (more) => (await transport.repeat(MyPoints, {}, more)).myPoints,
    myBalances: async (page = {}, more) => (await transport.repeat(MyBalances, page, more)).myBalances,
    orders: async (page = {}, more) => (await transport.repeat(Orders, page, more)).orders,
    order: async (orderNo, more) => (await transport.repeat(Order, { orderNo }, more)).order,
    placeOrder: async (input, more) => {
      const keyed = { ...input, idempotencyKey: input.idempotencyKey ?? randomKey() };
      return orderIn((await transport.repeat(PlaceOrder, { input: keyed }, more)).placeOrder);
    },
    payOrder: async (orderNo, more) =>
      orderIn((await transport.repeat(PayOrder, { input: { orderNo } }, more)).payOrder),
    cancelOrder: async (orderNo, more) =>
      orderIn((await transport.repeat(CancelOrder, { input: { orderNo } }, more)).cancelOrder),
    query: async (operation, variables, more) => transport.repeat(operation, variables, more),
    mutate: async (operation, variables, { isRepeatable = false, ...more } = {}) =>
      isRepeatable
        ? transport.repeat(operation, variables, more)
        : transport.send(operation, variables, more),
  };
}

/** @throws RefusedError */
function orderIn(payload: {
  readonly order: PlacedOrder | null;
  readonly errors: readonly Refusal[];
}): PlacedOrder {
  if (payload.order === null) throw refusedError(payload.errors);
  return payload.order;
}
