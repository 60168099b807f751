// Made by sdk/scripts/generate.mjs from schema.graphql and sdk/operations. Do not edit.
import type { Operation } from '../operation.js';

/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
/** Why it was refused, in order of precedence. */
export type ActivateBatchErrorCode =
  | 'BATCH_ACTIVE'
  | 'BATCH_NOT_FOUND'
  | 'BATCH_VOIDED';

/** Why it was refused, in order of precedence. */
export type AllocateCodesErrorCode =
  | 'CAMPAIGN_ENDED'
  | 'CAMPAIGN_NOT_FOUND'
  | 'CODE_COUNT_OUT_OF_RANGE'
  | 'IDEMPOTENCY_KEYS_DIFFER'
  | 'IDEMPOTENCY_KEY_MALFORMED'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'INPUT_NOT_ALLOWED'
  | 'POOL_EXHAUSTED'
  | 'RECEIVER_NOT_ALLOWED'
  | 'USER_NOT_FOUND';

export type AllocateCodesInput = {
  readonly campaignId: string;
  /** The channel that hands the codes on: 1 to 64 characters. */
  readonly channel?: string | null | undefined;
  /** 1 to 1,000. */
  readonly count: number;
  /** A repeated key answers the same. If missing, the header idempotency-key is used. */
  readonly idempotencyKey?: string | null | undefined;
  /** The user who alone may redeem the codes. Either this or a channel. */
  readonly userId?: string | null | undefined;
};

export type BatchIdInput = {
  readonly batchId: string;
};

/** The codes of a READY batch are all there; those of any other cannot be redeemed. PENDING waits for a worker, which makes it GENERATING. The codes of a FAILED or CANCELLED batch are removed, and its quota has been given back. */
export type BatchStatus =
  | 'CANCELLED'
  | 'FAILED'
  | 'GENERATING'
  | 'PENDING'
  | 'READY';

/** Why it was refused, in order of precedence. */
export type CancelOrderErrorCode =
  | 'ORDER_NOT_FOUND'
  | 'ORDER_NOT_PENDING';

export type CancelOrderInput = {
  readonly orderNo: string;
};

/** What a coupon takes off an order. */
export type CouponKind =
  /** A balance, which can be used in parts. */
  | 'AMOUNT'
  /** A share of the original total. */
  | 'RATE'
  /** An amount off a total that is not below the minimum. */
  | 'THRESHOLD';

/** The state of a coupon. */
export type CouponStatus =
  | 'AVAILABLE'
  /** Also shown before the sweep has seen it. */
  | 'EXPIRED'
  /** An order that is not paid yet holds it. */
  | 'RESERVED'
  | 'USED';

/** Why it was refused, in order of precedence. */
export type CreateDeviceLinkCodeErrorCode =
  | 'TOO_MANY_LINK_CODES'
  | 'USER_DISABLED'
  | 'USER_NOT_FOUND'
  | 'USER_REQUIRED';

export type CreateDeviceLinkCodeInput = {
  /** Whom the device is to join. Only for staff; a user needs none. */
  readonly userId?: string | null | undefined;
};

/** Why it was refused, in order of precedence. */
export type CreateUserTokenErrorCode =
  | 'EXTERNAL_USER_ID_NOT_ALLOWED'
  | 'PRODUCT_CODE_NOT_ALLOWED'
  | 'TAGS_DIFFER'
  | 'TAGS_NOT_ALLOWED'
  | 'TTL_OUT_OF_RANGE'
  | 'USER_DISABLED';

export type CreateUserTokenInput = {
  /** The user's id in the tenant's own system: 1 to 64 printable characters, not beginning with `device:`. */
  readonly externalUserId: string;
  /** Limits the token to this product line, whose header `x-product-code` may then be left out. An API key that is limited to several must give one of them. */
  readonly productCode?: string | null | undefined;
  /** Tags that the conditions of rewards read. They replace the present ones; if missing, those stay. An API key that is limited to product lines gives them to new users only. */
  readonly tags?: ReadonlyArray<string> | null | undefined;
  /** Lifetime of the token in seconds: at most 900, and 900 if missing. */
  readonly ttlS?: number | null | undefined;
};

/** Why it was refused, in order of precedence. */
export type DeviceLoginErrorCode =
  | 'CAPTCHA_REFUSED'
  | 'CAPTCHA_REQUIRED'
  | 'DEVICE_BOUND_ELSEWHERE'
  | 'DEVICE_DISABLED'
  | 'DEVICE_LIMIT_REACHED'
  | 'DEVICE_LOGIN_DISABLED'
  | 'DEVICE_SECRET_REQUIRED'
  | 'DEVICE_SECRET_WRONG'
  | 'IDENTIFIER_NOT_ALLOWED'
  | 'INPUT_NOT_ALLOWED'
  | 'LINK_CODE_NOT_FOUND'
  | 'SECRET_NOT_ALLOWED'
  | 'SERVICE_UNAVAILABLE'
  | 'SHORT_CODE_NOT_ALLOWED'
  | 'SIGN_UP_LIMIT_REACHED'
  | 'TENANT_NOT_ACTIVE'
  | 'TENANT_REQUIRED'
  | 'USER_DISABLED';

/** What a device says of itself. Its tenant is named by the header `x-tenant-id`. */
export type DeviceLoginInput = {
  /** The answer to the captcha, where the tenant asks for one. */
  readonly captchaToken?: string | null | undefined;
  /** What the device is called, the same at each sign-in: 1 to 64 visible ASCII characters. */
  readonly identifier: string;
  /** Of `createDeviceLinkCode`: makes a new device join that user, or gives a known one a new secret. */
  readonly linkCode?: string | null | undefined;
  /** Proves a known device. At the first sign-in the client may choose it: 32 to 128 visible ASCII characters, random. If missing then, the server chooses one and answers it once. */
  readonly secret?: string | null | undefined;
  /** What the device shows its user, up to 32 characters. If missing, it stays. */
  readonly shortCode?: string | null | undefined;
  /** The user agent; cut to 512 characters. */
  readonly userAgent?: string | null | undefined;
};

/** Whether a reward was revoked. */
export type GrantStatus =
  | 'GRANTED'
  | 'REVERSED';

export type MyCouponFilterInput = {
  /** The status at the time of the request. */
  readonly status?: CouponStatus | null | undefined;
};

/** Why an order was closed. */
export type OrderCloseReason =
  /** Delivery was no longer possible when the payment arrived. */
  | 'FAILED'
  /** Staff cancelled it. */
  | 'STAFF'
  /** It was not paid in time. */
  | 'TIMEOUT'
  /** Its user cancelled it. */
  | 'USER';

export type OrderFilterInput = {
  /** Made before this instant. */
  readonly before?: string | null | undefined;
  /** Of redemptions of this campaign. */
  readonly campaignId?: string | null | undefined;
  /** The user's id in the tenant's own system. For staff. */
  readonly externalUserId?: string | null | undefined;
  /** Made at this instant or later. */
  readonly from?: string | null | undefined;
  /** The whole number. */
  readonly orderNo?: string | null | undefined;
  /** Of redemptions of a code: the text that a customer typed, as in `codes`. Of no effect for users. */
  readonly part?: string | null | undefined;
  /** Finds placed orders only. */
  readonly paymentState?: OrderPaymentState | null | undefined;
  /** Of redemptions at this product line. */
  readonly productCode?: string | null | undefined;
  readonly status?: OrderStatus | null | undefined;
  readonly type?: OrderType | null | undefined;
  /** For staff; users see their own in any case. */
  readonly userId?: string | null | undefined;
};

/** What has become of the money of a placed order. */
export type OrderPaymentState =
  /** Paid, and nothing of it was refunded. */
  | 'PAID'
  /** A part was refunded. */
  | 'PARTLY_REFUNDED'
  /** Refunded in full. */
  | 'REFUNDED'
  /** No payment was accepted. Money that came too late, for a CLOSED or a FAILED order, was credited to the balance. */
  | 'UNPAID';

/** The channel of an order. */
export type OrderSource =
  | 'DRAW'
  | 'GAME_PASS'
  | 'ICHIBAN'
  | 'MALL';

/** The state of an order. */
export type OrderStatus =
  /** Not paid in time, or cancelled. Coupons, points and inventory were returned. */
  | 'CLOSED'
  /** Paid when delivery was no longer possible: the amount was credited to the balance. Or a redemption that was abandoned. */
  | 'FAILED'
  /** Paid and delivered. */
  | 'FINISHED'
  /** Paid and being delivered. */
  | 'PAID'
  /** Not paid yet, or a redemption that is still PROCESSING. */
  | 'PENDING'
  /** Refunded in full, or a reversed redemption. */
  | 'REFUNDED';

/** The type of an order. */
export type OrderType =
  | 'PURCHASE'
  | 'RECHARGE'
  | 'REDEMPTION'
  | 'RENEWAL'
  | 'RESET_TRAFFIC';

/** Why it was refused, in order of precedence. */
export type PayOrderErrorCode =
  | 'ACCOUNT_HALTED'
  | 'INSUFFICIENT_BALANCE'
  | 'ORDER_NOT_FOUND'
  | 'ORDER_NOT_PENDING'
  | 'PLAN_QUOTA_REACHED'
  | 'PLAN_SOLD_OUT'
  | 'RECHARGE_NOT_PAYABLE_FROM_BALANCE'
  | 'REWARD_HAS_NO_EFFECT'
  | 'SUBSCRIPTION_NOT_FOUND';

export type PayOrderInput = {
  readonly orderNo: string;
};

/** Why it was refused, in order of precedence. */
export type PlaceOrderErrorCode =
  | 'AMOUNT_OUT_OF_RANGE'
  | 'AMOUNT_TOO_PRECISE'
  | 'COUPON_BELOW_THRESHOLD'
  | 'COUPON_COUNT_OUT_OF_RANGE'
  | 'COUPON_CURRENCY_MISMATCH'
  | 'COUPON_EXPIRED'
  | 'COUPON_NOT_AVAILABLE'
  | 'COUPON_NOT_FOUND'
  | 'COUPON_REPEATED'
  | 'CURRENCY_NOT_FOUND'
  | 'CURRENCY_REQUIRED'
  | 'FACILITY_NOT_FOUND'
  | 'FACILITY_REQUIRED'
  | 'IDEMPOTENCY_KEYS_DIFFER'
  | 'IDEMPOTENCY_KEY_MALFORMED'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'INPUT_NOT_ALLOWED'
  | 'INSUFFICIENT_POINTS'
  | 'ORDER_TYPE_NOT_ALLOWED'
  | 'PLAN_CURRENCY_DIFFERS'
  | 'PLAN_NOT_FOUND'
  | 'PLAN_NOT_SOLD'
  | 'PLAN_QUOTA_REACHED'
  | 'PLAN_SOLD_OUT'
  | 'POINTS_EXCEED_TOTAL'
  | 'POINTS_OUT_OF_RANGE'
  | 'POINTS_WORTH_NOTHING'
  | 'QUANTITY_OUT_OF_RANGE'
  | 'REWARD_HAS_NO_EFFECT'
  | 'SOURCE_TYPE_NOT_ALLOWED'
  | 'SUBSCRIPTION_NOT_FOUND'
  | 'TOO_MANY_PENDING_ORDERS'
  | 'TRAFFIC_NOT_RESETTABLE'
  | 'USER_DISABLED';

export type PlaceOrderInput = {
  /** RECHARGE only: the amount to pay and to add to the balance. */
  readonly amount?: string | null | undefined;
  /** One's own coupons, applied in this order. */
  readonly couponIds?: ReadonlyArray<string> | null | undefined;
  /** What it is paid in; missing means that of the plan's prices, else the tenant's only currency. */
  readonly currency?: string | null | undefined;
  /** Whose account pays; missing means the tenant's only facility. */
  readonly facilityId?: string | null | undefined;
  /** The same key and arguments answer the same again. 1 to 64 visible characters; or the header. */
  readonly idempotencyKey?: string | null | undefined;
  /** Required, except for a RECHARGE. */
  readonly planId?: string | null | undefined;
  /** Points to spend on the amount that remains after the coupons. */
  readonly points?: number | null | undefined;
  /** Units of the plan; missing means 1. */
  readonly quantity?: number | null | undefined;
  /** MALL or GAME_PASS; missing means MALL. */
  readonly sourceType?: OrderSource | null | undefined;
  /** PURCHASE, RENEWAL or RESET_TRAFFIC for a plan; RECHARGE for the balance. */
  readonly type: OrderType;
};

/** Codes of a USER can be redeemed by that user alone; a CHANNEL hands its codes on. */
export type ReceiverType =
  | 'CHANNEL'
  | 'USER';

/** Why a code was not redeemed, in order of precedence. */
export type RedeemCodeErrorCode =
  /** The account that this code would credit is being checked. The code stays valid; please ask the support of this app or site. */
  | 'ACCOUNT_HALTED'
  /** You have already redeemed this code. */
  | 'ALREADY_REDEEMED'
  /** The budget of this campaign is used up, so its codes cannot be redeemed at the moment. */
  | 'BUDGET_EXHAUSTED'
  /** The campaign of this code is not running at the moment. */
  | 'CAMPAIGN_NOT_ACTIVE'
  /** This code has been used up. */
  | 'CODE_EXHAUSTED'
  /** This code has expired. */
  | 'CODE_EXPIRED'
  /** Another redemption of this code is in progress. Please try again in a moment. */
  | 'CODE_HELD'
  /** This code is not active. Please ask the person or company that gave it to you. */
  | 'CODE_INACTIVE'
  /** This does not look like one of our codes. Please check it for typing errors. */
  | 'CODE_MALFORMED'
  /** We do not know this code. Please check it for typing errors. */
  | 'CODE_NOT_FOUND'
  /** This code is not valid yet. */
  | 'CODE_NOT_STARTED'
  /** This code belongs to another user. */
  | 'CODE_NOT_YOURS'
  /** This code cannot be redeemed. */
  | 'CODE_REFUSED'
  /** The coupon that this code gives is not issued at the moment. The code stays valid; please try again later. */
  | 'COUPON_NOT_ISSUABLE'
  /** The balance that this code gives cannot be credited at the moment. The code stays valid; please try again later. */
  | 'CURRENCY_NOT_AVAILABLE'
  /** A device id has 1 to 64 visible ASCII characters. */
  | 'DEVICE_ID_MALFORMED'
  /** The header idempotency-key and the idempotencyKey of the input are not the same. Send one of them. */
  | 'IDEMPOTENCY_KEYS_DIFFER'
  /** An idempotency key has 1 to 64 visible ASCII characters. */
  | 'IDEMPOTENCY_KEY_MALFORMED'
  /** This idempotency key was used for another code. Use a new key for each redemption. */
  | 'IDEMPOTENCY_KEY_REUSED'
  /** This code holds no reward for your account. */
  | 'NO_REWARD_FOR_USER'
  /** You already have the maximum number of subscriptions of this plan. */
  | 'PLAN_QUOTA_REACHED'
  /** The plan that this code gives is sold out at the moment. The code stays valid; please try again later. */
  | 'PLAN_SOLD_OUT'
  /** This code cannot be redeemed in this app or site. */
  | 'PRODUCT_NOT_ALLOWED'
  /** The app or site is missing. Send the header x-product-code. */
  | 'PRODUCT_REQUIRED'
  /** This app or site is not known here. Check the header x-product-code. */
  | 'PRODUCT_UNKNOWN'
  /** Too many attempts. Please wait and try again. */
  | 'RATE_LIMITED'
  /** You already have all that this code gives, so it was not redeemed. The code stays valid; you can give it away. */
  | 'REWARD_HAS_NO_EFFECT'
  /** We cannot redeem codes at the moment. Please try again soon; a code is never spent twice. */
  | 'SERVICE_UNAVAILABLE'
  /** Your session has ended. Please sign in again. */
  | 'SESSION_ENDED'
  /** Codes cannot be redeemed here at the moment. Please ask the support of this app or site. */
  | 'TENANT_NOT_ACTIVE'
  /** This account does not exist or is disabled. Please ask the support of this app or site. */
  | 'USER_DISABLED'
  /** You have reached the limit of this campaign for one user. */
  | 'USER_LIMIT_REACHED'
  /** This campaign is for other users, or for another time. */
  | 'USER_NOT_ELIGIBLE';

/** The user comes from the token, the product line from the header x-product-code. */
export type RedeemCodeInput = {
  /** As typed by the user; case, spaces and hyphens do not matter. */
  readonly code: string;
  /** Makes a retry safe: a repeated key gets the same answer. Also accepted as the header idempotency-key. */
  readonly idempotencyKey?: string | null | undefined;
};

export type RedemptionFilter = {
  readonly batchId?: string | null | undefined;
  /** Claimed before this instant. */
  readonly before?: string | null | undefined;
  readonly campaignId?: string | null | undefined;
  readonly codeId?: string | null | undefined;
  /** The user's id in the tenant's own system. */
  readonly externalUserId?: string | null | undefined;
  /** Claimed at this instant or later. */
  readonly from?: string | null | undefined;
  /** The number of its order. */
  readonly orderNo?: string | null | undefined;
  /** The text of the code that a customer typed, as in `codes`. Of no effect for users. */
  readonly part?: string | null | undefined;
  /** That gave this plan. */
  readonly planId?: string | null | undefined;
  /** Redeemed at this product line. */
  readonly productCode?: string | null | undefined;
  readonly status?: RedemptionState | null | undefined;
  /** That gave this unit of time. */
  readonly unit?: TimeUnit | null | undefined;
  readonly userId?: string | null | undefined;
};

/** Whether a redemption still counts. */
export type RedemptionState =
  | 'COMMITTED'
  | 'REVERSED';

/** The outcome of an attempt to redeem a code. */
export type RedemptionStatus =
  /** The code was redeemed and the rewards are given; this is on disk. */
  | 'COMMITTED'
  /** It will be settled soon; ask for the order to learn the outcome. */
  | 'PROCESSING'
  /** Nothing was spent; `errors` says why. */
  | 'REFUSED';

/** Why it was refused, in order of precedence. */
export type RefreshDeviceSessionErrorCode =
  | 'DEVICE_DISABLED'
  | 'DEVICE_LOGIN_DISABLED'
  | 'REFRESH_TOKEN_REUSED'
  | 'REFRESH_TOKEN_UNKNOWN'
  | 'SESSION_ENDED'
  | 'TENANT_NOT_ACTIVE'
  | 'USER_DISABLED';

export type RefreshDeviceSessionInput = {
  readonly refreshToken: string;
};

/** The kind of a reward. */
export type RewardType =
  | 'BALANCE'
  | 'COUPON'
  | 'POINTS'
  | 'SUBSCRIPTION';

/** Why a session ends. */
export type SessionEndReason =
  | 'CREDENTIALS_CHANGED'
  | 'DISABLED'
  | 'REFRESH_TOKEN_REUSED'
  | 'ROLE_CHANGED'
  | 'SIGNED_OUT'
  | 'TOO_MANY_ONLINE'
  | 'UNBOUND';

/** Why it was refused, in order of precedence. */
export type SignOutDeviceErrorCode =
  | 'DEVICE_SESSION_REQUIRED';

export type SignOutDeviceInput = {
  /** Ends the sessions of all devices of the user, not only this one. */
  readonly everywhere?: boolean | null | undefined;
};

/** The state of a subscription. FINISHED has used up its traffic, EXPIRED is past its end. */
export type SubscriptionStatus =
  | 'ACTIVE'
  | 'DEDUCTED'
  | 'EXPIRED'
  | 'FINISHED'
  | 'PENDING'
  | 'STOPPED';

/** Calendar units clamp to the end of the month: 31 January + 1 MONTH is 28 or 29 February. NO_LIMIT never ends. */
export type TimeUnit =
  | 'DAY'
  | 'HALF_YEAR'
  | 'HOUR'
  | 'MINUTE'
  | 'MONTH'
  | 'NO_LIMIT'
  | 'QUARTER'
  | 'YEAR';

export type DeviceLoginMutationVariables = Exact<{
  input: DeviceLoginInput;
}>;


export type DeviceLoginMutation = { readonly deviceLogin: { readonly accessToken: string | null, readonly expiresAt: string | null, readonly refreshToken: string | null, readonly refreshExpiresAt: string | null, readonly sessionId: string | null, readonly deviceId: string | null, readonly userId: string | null, readonly isNewUser: boolean | null, readonly errors: ReadonlyArray<{ readonly code: DeviceLoginErrorCode, readonly message: string, readonly field: ReadonlyArray<string> | null, readonly retryAfterMs: number | null }> } };

export type RefreshDeviceSessionMutationVariables = Exact<{
  input: RefreshDeviceSessionInput;
}>;


export type RefreshDeviceSessionMutation = { readonly refreshDeviceSession: { readonly accessToken: string | null, readonly expiresAt: string | null, readonly refreshToken: string | null, readonly refreshExpiresAt: string | null, readonly sessionId: string | null, readonly deviceId: string | null, readonly userId: string | null, readonly errors: ReadonlyArray<{ readonly code: RefreshDeviceSessionErrorCode, readonly message: string, readonly field: ReadonlyArray<string> | null }> } };

export type SignOutDeviceMutationVariables = Exact<{
  input?: SignOutDeviceInput | null | undefined;
}>;


export type SignOutDeviceMutation = { readonly signOutDevice: { readonly sessionId: string | null, readonly errors: ReadonlyArray<{ readonly code: SignOutDeviceErrorCode, readonly message: string, readonly field: ReadonlyArray<string> | null }> } };

export type CreateDeviceLinkCodeMutationVariables = Exact<{
  input: CreateDeviceLinkCodeInput;
}>;


export type CreateDeviceLinkCodeMutation = { readonly createDeviceLinkCode: { readonly linkCode: string | null, readonly expiresAt: string | null, readonly errors: ReadonlyArray<{ readonly code: CreateDeviceLinkCodeErrorCode, readonly message: string, readonly field: ReadonlyArray<string> | null }> } };

export type MySubscriptionsQueryVariables = Exact<{ [key: string]: never; }>;


export type MySubscriptionsQuery = { readonly mySubscriptions: ReadonlyArray<{ readonly id: string, readonly planId: string, readonly status: SubscriptionStatus, readonly startedAt: string, readonly expiresAt: string | null, readonly token: string, readonly uuid: string, readonly trafficBytes: number, readonly trafficUsedBytes: number, readonly plan: { readonly id: string, readonly name: string } | null }> };

export type MyCouponsQueryVariables = Exact<{
  filter?: MyCouponFilterInput | null | undefined;
  after?: string | null | undefined;
  size?: number | null | undefined;
}>;


export type MyCouponsQuery = { readonly myCoupons: { readonly total: number, readonly next: string | null, readonly items: ReadonlyArray<{ readonly id: string, readonly templateId: string, readonly name: string | null, readonly kind: CouponKind, readonly status: CouponStatus, readonly amount: string, readonly balance: string, readonly minimum: string, readonly rateMille: number, readonly currency: string, readonly expiresAt: string | null }> } };

export type MyPointsQueryVariables = Exact<{ [key: string]: never; }>;


export type MyPointsQuery = { readonly myPoints: { readonly balance: number, readonly lots: ReadonlyArray<{ readonly id: string, readonly granted: number, readonly remaining: number, readonly expiresAt: string | null }> } };

export type MyBalancesQueryVariables = Exact<{
  after?: string | null | undefined;
  size?: number | null | undefined;
}>;


export type MyBalancesQuery = { readonly myBalances: { readonly total: number, readonly next: string | null, readonly items: ReadonlyArray<{ readonly id: string, readonly facilityId: string, readonly currency: string, readonly balance: string, readonly haltedAt: string | null }> } };

export type OrderFieldsFragment = { readonly orderNo: string, readonly type: OrderType, readonly status: OrderStatus, readonly planId: string | null, readonly quantity: number | null, readonly currency: string | null, readonly total: string | null, readonly discount: string | null, readonly pointsSpent: number | null, readonly amount: string, readonly subscriptionId: string | null, readonly closeReason: OrderCloseReason | null, readonly createdAt: string, readonly paidAt: string | null, readonly closedAt: string | null, readonly finishedAt: string | null };

export type OrdersQueryVariables = Exact<{
  filter?: OrderFilterInput | null | undefined;
  after?: string | null | undefined;
  size?: number | null | undefined;
}>;


export type OrdersQuery = { readonly orders: { readonly total: number, readonly next: string | null, readonly items: ReadonlyArray<{ readonly orderNo: string, readonly type: OrderType, readonly status: OrderStatus, readonly planId: string | null, readonly quantity: number | null, readonly currency: string | null, readonly total: string | null, readonly discount: string | null, readonly pointsSpent: number | null, readonly amount: string, readonly subscriptionId: string | null, readonly closeReason: OrderCloseReason | null, readonly createdAt: string, readonly paidAt: string | null, readonly closedAt: string | null, readonly finishedAt: string | null }> } };

export type OrderQueryVariables = Exact<{
  orderNo: string;
}>;


export type OrderQuery = { readonly order: { readonly orderNo: string, readonly type: OrderType, readonly status: OrderStatus, readonly planId: string | null, readonly quantity: number | null, readonly currency: string | null, readonly total: string | null, readonly discount: string | null, readonly pointsSpent: number | null, readonly amount: string, readonly subscriptionId: string | null, readonly closeReason: OrderCloseReason | null, readonly createdAt: string, readonly paidAt: string | null, readonly closedAt: string | null, readonly finishedAt: string | null } | null };

export type PlaceOrderMutationVariables = Exact<{
  input: PlaceOrderInput;
}>;


export type PlaceOrderMutation = { readonly placeOrder: { readonly order: { readonly orderNo: string, readonly type: OrderType, readonly status: OrderStatus, readonly planId: string | null, readonly quantity: number | null, readonly currency: string | null, readonly total: string | null, readonly discount: string | null, readonly pointsSpent: number | null, readonly amount: string, readonly subscriptionId: string | null, readonly closeReason: OrderCloseReason | null, readonly createdAt: string, readonly paidAt: string | null, readonly closedAt: string | null, readonly finishedAt: string | null } | null, readonly errors: ReadonlyArray<{ readonly code: PlaceOrderErrorCode, readonly message: string, readonly field: ReadonlyArray<string> | null }> } };

export type PayOrderMutationVariables = Exact<{
  input: PayOrderInput;
}>;


export type PayOrderMutation = { readonly payOrder: { readonly order: { readonly orderNo: string, readonly type: OrderType, readonly status: OrderStatus, readonly planId: string | null, readonly quantity: number | null, readonly currency: string | null, readonly total: string | null, readonly discount: string | null, readonly pointsSpent: number | null, readonly amount: string, readonly subscriptionId: string | null, readonly closeReason: OrderCloseReason | null, readonly createdAt: string, readonly paidAt: string | null, readonly closedAt: string | null, readonly finishedAt: string | null } | null, readonly errors: ReadonlyArray<{ readonly code: PayOrderErrorCode, readonly message: string, readonly field: ReadonlyArray<string> | null }> } };

export type CancelOrderMutationVariables = Exact<{
  input: CancelOrderInput;
}>;


export type CancelOrderMutation = { readonly cancelOrder: { readonly order: { readonly orderNo: string, readonly type: OrderType, readonly status: OrderStatus, readonly planId: string | null, readonly quantity: number | null, readonly currency: string | null, readonly total: string | null, readonly discount: string | null, readonly pointsSpent: number | null, readonly amount: string, readonly subscriptionId: string | null, readonly closeReason: OrderCloseReason | null, readonly createdAt: string, readonly paidAt: string | null, readonly closedAt: string | null, readonly finishedAt: string | null } | null, readonly errors: ReadonlyArray<{ readonly code: CancelOrderErrorCode, readonly message: string, readonly field: ReadonlyArray<string> | null }> } };

export type CreateUserTokenMutationVariables = Exact<{
  input: CreateUserTokenInput;
}>;


export type CreateUserTokenMutation = { readonly createUserToken: { readonly token: string | null, readonly userId: string | null, readonly expiresAt: string | null, readonly errors: ReadonlyArray<{ readonly code: CreateUserTokenErrorCode, readonly message: string, readonly field: ReadonlyArray<string> | null }> } };

export type AllocateCodesMutationVariables = Exact<{
  input: AllocateCodesInput;
}>;


export type AllocateCodesMutation = { readonly allocateCodes: { readonly codes: ReadonlyArray<string> | null, readonly replayed: boolean | null, readonly allocation: { readonly id: string, readonly campaignId: string, readonly count: number, readonly receiverType: ReceiverType, readonly receiver: string, readonly createdAt: string } | null, readonly errors: ReadonlyArray<{ readonly code: AllocateCodesErrorCode, readonly message: string, readonly field: ReadonlyArray<string> | null }> } };

export type ActivateBatchMutationVariables = Exact<{
  input: BatchIdInput;
}>;


export type ActivateBatchMutation = { readonly activateBatch: { readonly batch: { readonly id: string, readonly status: BatchStatus, readonly activatedAt: string | null } | null, readonly errors: ReadonlyArray<{ readonly code: ActivateBatchErrorCode, readonly message: string, readonly field: ReadonlyArray<string> | null }> } };

export type PartnerRedemptionsQueryVariables = Exact<{
  filter?: RedemptionFilter | null | undefined;
  after?: string | null | undefined;
  size?: number | null | undefined;
}>;


export type PartnerRedemptionsQuery = { readonly redemptions: { readonly total: number, readonly next: string | null, readonly items: ReadonlyArray<{ readonly id: string, readonly status: RedemptionState, readonly codeId: string, readonly campaignId: string, readonly userId: string, readonly externalUserId: string | null, readonly useNo: number | null, readonly productCode: string, readonly claimedAt: string, readonly settledAt: string, readonly reversedAt: string | null }> } };

export type RedemptionFieldsFragment = { readonly id: string, readonly status: RedemptionState, readonly codeId: string, readonly campaignId: string, readonly userId: string, readonly useNo: number | null, readonly productCode: string, readonly claimedAt: string, readonly settledAt: string, readonly reversedAt: string | null, readonly rewards: ReadonlyArray<{ readonly type: RewardType, readonly sourceId: string, readonly targetId: string, readonly value: string, readonly status: GrantStatus }> };

export type RedeemCodeMutationVariables = Exact<{
  input: RedeemCodeInput;
}>;


export type RedeemCodeMutation = { readonly redeemCode: { readonly status: RedemptionStatus, readonly orderNo: string | null, readonly redemption: { readonly id: string, readonly status: RedemptionState, readonly codeId: string, readonly campaignId: string, readonly userId: string, readonly useNo: number | null, readonly productCode: string, readonly claimedAt: string, readonly settledAt: string, readonly reversedAt: string | null, readonly rewards: ReadonlyArray<{ readonly type: RewardType, readonly sourceId: string, readonly targetId: string, readonly value: string, readonly status: GrantStatus }> } | null, readonly errors: ReadonlyArray<{ readonly code: RedeemCodeErrorCode, readonly message: string, readonly field: ReadonlyArray<string> | null, readonly retryAfterMs: number | null }> } };

export type PreviewRedemptionQueryVariables = Exact<{
  code: string;
}>;


export type PreviewRedemptionQuery = { readonly previewRedemption: { readonly wouldRedeem: boolean, readonly campaignName: string | null, readonly expiresAt: string | null, readonly rewards: ReadonlyArray<{ readonly type: RewardType, readonly targetId: string, readonly quantity: number, readonly unit: TimeUnit | null, readonly expiresAt: string | null }>, readonly errors: ReadonlyArray<{ readonly code: RedeemCodeErrorCode, readonly message: string, readonly field: ReadonlyArray<string> | null, readonly retryAfterMs: number | null }> } };

export type RedemptionsQueryVariables = Exact<{
  filter?: RedemptionFilter | null | undefined;
  after?: string | null | undefined;
  size?: number | null | undefined;
}>;


export type RedemptionsQuery = { readonly redemptions: { readonly total: number, readonly next: string | null, readonly items: ReadonlyArray<{ readonly id: string, readonly status: RedemptionState, readonly codeId: string, readonly campaignId: string, readonly userId: string, readonly useNo: number | null, readonly productCode: string, readonly claimedAt: string, readonly settledAt: string, readonly reversedAt: string | null, readonly rewards: ReadonlyArray<{ readonly type: RewardType, readonly sourceId: string, readonly targetId: string, readonly value: string, readonly status: GrantStatus }> }> } };

export type EventCursorQueryVariables = Exact<{ [key: string]: never; }>;


export type EventCursorQuery = { readonly eventCursor: string };

export type RedemptionSettledSubscriptionVariables = Exact<{
  after?: string | null | undefined;
}>;


export type RedemptionSettledSubscription = { readonly redemptionSettled: { readonly eventId: string, readonly cursor: string, readonly status: RedemptionStatus, readonly redemptionId: string, readonly orderNo: string, readonly userId: string, readonly externalUserId: string | null, readonly campaignId: string, readonly useNo: number | null, readonly refusal: RedeemCodeErrorCode | null, readonly winnerId: string | null } };

export type RedemptionReversedSubscriptionVariables = Exact<{
  after?: string | null | undefined;
}>;


export type RedemptionReversedSubscription = { readonly redemptionReversed: { readonly eventId: string, readonly cursor: string, readonly redemptionId: string, readonly userId: string } };

export type OrderClosedSubscriptionVariables = Exact<{
  after?: string | null | undefined;
}>;


export type OrderClosedSubscription = { readonly orderClosed: { readonly eventId: string, readonly cursor: string, readonly orderNo: string, readonly type: OrderType, readonly status: OrderStatus, readonly closeReason: OrderCloseReason, readonly points: number, readonly userId: string } };

export type SubscriptionInvalidatedSubscriptionVariables = Exact<{
  after?: string | null | undefined;
}>;


export type SubscriptionInvalidatedSubscription = { readonly subscriptionInvalidated: { readonly eventId: string, readonly cursor: string, readonly subscriptionId: string, readonly planId: string, readonly userId: string } };

export type SessionRevokedSubscriptionVariables = Exact<{
  after?: string | null | undefined;
}>;


export type SessionRevokedSubscription = { readonly sessionRevoked: { readonly eventId: string, readonly cursor: string, readonly deviceId: string, readonly userId: string, readonly reason: SessionEndReason } };

export const DeviceLogin: Operation<DeviceLoginMutation, DeviceLoginMutationVariables> = {
  name: 'DeviceLogin',
  id: 'ee4fb1276914740cc356875a614291d9a52d66f7c6e3c47b05fb5a722c32bae3',
  text: "mutation DeviceLogin($input: DeviceLoginInput!) { deviceLogin(input: $input) { accessToken expiresAt refreshToken refreshExpiresAt sessionId deviceId userId isNewUser errors { code message field retryAfterMs } } }",
};

export const RefreshDeviceSession: Operation<RefreshDeviceSessionMutation, RefreshDeviceSessionMutationVariables> = {
  name: 'RefreshDeviceSession',
  id: 'ee9a217c23c2d3793a036103f2a0b43b471565fcefb55b6d1c3c15dec28afad2',
  text: "mutation RefreshDeviceSession($input: RefreshDeviceSessionInput!) { refreshDeviceSession(input: $input) { accessToken expiresAt refreshToken refreshExpiresAt sessionId deviceId userId errors { code message field } } }",
};

export const SignOutDevice: Operation<SignOutDeviceMutation, SignOutDeviceMutationVariables> = {
  name: 'SignOutDevice',
  id: '22f1a6e478cbc4c4b12af6b456da603d4e8b6a920fbf7dcb5a8d64778392f929',
  text: "mutation SignOutDevice($input: SignOutDeviceInput) { signOutDevice(input: $input) { sessionId errors { code message field } } }",
};

export const CreateDeviceLinkCode: Operation<CreateDeviceLinkCodeMutation, CreateDeviceLinkCodeMutationVariables> = {
  name: 'CreateDeviceLinkCode',
  id: 'f7bcea7a5bc2d248dc4310092a962a638d49e43b215f165cf640eb1876a6fc96',
  text: "mutation CreateDeviceLinkCode($input: CreateDeviceLinkCodeInput!) { createDeviceLinkCode(input: $input) { linkCode expiresAt errors { code message field } } }",
};

export const MySubscriptions: Operation<MySubscriptionsQuery, MySubscriptionsQueryVariables> = {
  name: 'MySubscriptions',
  id: '113f8530f3eb88413bd96db0a0e375bdb93a34ef61a3f99f86f504f481d51398',
  text: "query MySubscriptions { mySubscriptions { id planId status startedAt expiresAt token uuid trafficBytes trafficUsedBytes plan { id name } } }",
};

export const MyCoupons: Operation<MyCouponsQuery, MyCouponsQueryVariables> = {
  name: 'MyCoupons',
  id: '47875ebc7cd26e244a06bf84f146ac5783ceaaf8f489ee425e60429d1e00d929',
  text: "query MyCoupons($filter: MyCouponFilterInput, $after: ID, $size: Int) { myCoupons(filter: $filter, after: $after, size: $size) { total next items { id templateId name kind status amount balance minimum rateMille currency expiresAt } } }",
};

export const MyPoints: Operation<MyPointsQuery, MyPointsQueryVariables> = {
  name: 'MyPoints',
  id: '6fed48a95ac5f716f153a445b30786a2d9e184c1c8e2a3a1e3000a136bf18c3c',
  text: "query MyPoints { myPoints { balance lots { id granted remaining expiresAt } } }",
};

export const MyBalances: Operation<MyBalancesQuery, MyBalancesQueryVariables> = {
  name: 'MyBalances',
  id: '3aeef08759463f75e48e66abee997b40c81a99ad06f97c5058060e93da5ab40d',
  text: "query MyBalances($after: ID, $size: Int) { myBalances(after: $after, size: $size) { total next items { id facilityId currency balance haltedAt } } }",
};

export const Orders: Operation<OrdersQuery, OrdersQueryVariables> = {
  name: 'Orders',
  id: '1828dff703e123aeb5ed22272400b3b1de74eb7ab15d126b83f4ff3495690303',
  text: "query Orders($filter: OrderFilterInput, $after: ID, $size: Int) { orders(filter: $filter, after: $after, size: $size) { total next items { ...OrderFields } } } fragment OrderFields on Order { orderNo type status planId quantity currency total discount pointsSpent amount subscriptionId closeReason createdAt paidAt closedAt finishedAt }",
};

export const Order: Operation<OrderQuery, OrderQueryVariables> = {
  name: 'Order',
  id: '115520a09afa782b618b8ff86814f51fdcb4d684691e1112e67f130b80fd148b',
  text: "query Order($orderNo: ID!) { order(orderNo: $orderNo) { ...OrderFields } } fragment OrderFields on Order { orderNo type status planId quantity currency total discount pointsSpent amount subscriptionId closeReason createdAt paidAt closedAt finishedAt }",
};

export const PlaceOrder: Operation<PlaceOrderMutation, PlaceOrderMutationVariables> = {
  name: 'PlaceOrder',
  id: '0fa94a4dea4898a417addfef1cb325833831c4429730314a2b8c0caf356b83b4',
  text: "mutation PlaceOrder($input: PlaceOrderInput!) { placeOrder(input: $input) { order { ...OrderFields } errors { code message field } } } fragment OrderFields on Order { orderNo type status planId quantity currency total discount pointsSpent amount subscriptionId closeReason createdAt paidAt closedAt finishedAt }",
};

export const PayOrder: Operation<PayOrderMutation, PayOrderMutationVariables> = {
  name: 'PayOrder',
  id: '9942701b04481b27c1c515fee71be9c6f8d11bf2573777849d0fe55407f51db7',
  text: "mutation PayOrder($input: PayOrderInput!) { payOrder(input: $input) { order { ...OrderFields } errors { code message field } } } fragment OrderFields on Order { orderNo type status planId quantity currency total discount pointsSpent amount subscriptionId closeReason createdAt paidAt closedAt finishedAt }",
};

export const CancelOrder: Operation<CancelOrderMutation, CancelOrderMutationVariables> = {
  name: 'CancelOrder',
  id: '7a7ea6ffb5b6f04bd7d36fce4474c1463bd19d716e21ae230aab4edd359f3831',
  text: "mutation CancelOrder($input: CancelOrderInput!) { cancelOrder(input: $input) { order { ...OrderFields } errors { code message field } } } fragment OrderFields on Order { orderNo type status planId quantity currency total discount pointsSpent amount subscriptionId closeReason createdAt paidAt closedAt finishedAt }",
};

export const CreateUserToken: Operation<CreateUserTokenMutation, CreateUserTokenMutationVariables> = {
  name: 'CreateUserToken',
  id: '014553db09c8aa3d577a219a3c5eee010c6d631fd2c4b71d8d441f3869015501',
  text: "mutation CreateUserToken($input: CreateUserTokenInput!) { createUserToken(input: $input) { token userId expiresAt errors { code message field } } }",
};

export const AllocateCodes: Operation<AllocateCodesMutation, AllocateCodesMutationVariables> = {
  name: 'AllocateCodes',
  id: 'd383d8cd2e0f6e0b46d8b42d427b65930afb5f7938b95adeba26ea5c606c1c7a',
  text: "mutation AllocateCodes($input: AllocateCodesInput!) { allocateCodes(input: $input) { codes replayed allocation { id campaignId count receiverType receiver createdAt } errors { code message field } } }",
};

export const ActivateBatch: Operation<ActivateBatchMutation, ActivateBatchMutationVariables> = {
  name: 'ActivateBatch',
  id: 'f262842141ed1613e42253f70200ea56d888ddd5a4a60109873eb118a457b4f2',
  text: "mutation ActivateBatch($input: BatchIdInput!) { activateBatch(input: $input) { batch { id status activatedAt } errors { code message field } } }",
};

export const PartnerRedemptions: Operation<PartnerRedemptionsQuery, PartnerRedemptionsQueryVariables> = {
  name: 'PartnerRedemptions',
  id: 'b845431e8fecbf56acaa45bf05cb591b01fe15ca3251120332e786bbe77359a3',
  text: "query PartnerRedemptions($filter: RedemptionFilter, $after: ID, $size: Int) { redemptions(filter: $filter, after: $after, size: $size) { total next items { id status codeId campaignId userId externalUserId useNo productCode claimedAt settledAt reversedAt } } }",
};

export const RedeemCode: Operation<RedeemCodeMutation, RedeemCodeMutationVariables> = {
  name: 'RedeemCode',
  id: 'e17aa79c59ce3b709ca953ef4a6f30ca49b3ce25a583f71483ab50c8d75a218b',
  text: "mutation RedeemCode($input: RedeemCodeInput!) { redeemCode(input: $input) { status orderNo redemption { ...RedemptionFields } errors { code message field retryAfterMs } } } fragment RedemptionFields on Redemption { id status codeId campaignId userId useNo productCode claimedAt settledAt reversedAt rewards { type sourceId targetId value status } }",
};

export const PreviewRedemption: Operation<PreviewRedemptionQuery, PreviewRedemptionQueryVariables> = {
  name: 'PreviewRedemption',
  id: 'd9d772f630510893ef02d41856f5cc7f3caee655a31c209496bed37fe9d516b7',
  text: "query PreviewRedemption($code: String!) { previewRedemption(code: $code) { wouldRedeem campaignName expiresAt rewards { type targetId quantity unit expiresAt } errors { code message field retryAfterMs } } }",
};

export const Redemptions: Operation<RedemptionsQuery, RedemptionsQueryVariables> = {
  name: 'Redemptions',
  id: 'f0158f813be3f275d077f48f9510a8d6592b2e4dff8d3bd295852034ee7fe2a7',
  text: "query Redemptions($filter: RedemptionFilter, $after: ID, $size: Int) { redemptions(filter: $filter, after: $after, size: $size) { total next items { ...RedemptionFields } } } fragment RedemptionFields on Redemption { id status codeId campaignId userId useNo productCode claimedAt settledAt reversedAt rewards { type sourceId targetId value status } }",
};

export const EventCursor: Operation<EventCursorQuery, EventCursorQueryVariables> = {
  name: 'EventCursor',
  id: 'f0ca365305d74a838d44ad64fbf710a90a58e231473e9a5870abcaac0ff39e3b',
  text: "query EventCursor { eventCursor }",
};

export const RedemptionSettled: Operation<RedemptionSettledSubscription, RedemptionSettledSubscriptionVariables> = {
  name: 'RedemptionSettled',
  id: '88eacf50ca288276659cbc35e46992bccea48a739a9c43fd05dd080948ff8065',
  text: "subscription RedemptionSettled($after: String) { redemptionSettled(after: $after) { eventId cursor status redemptionId orderNo userId externalUserId campaignId useNo refusal winnerId } }",
};

export const RedemptionReversed: Operation<RedemptionReversedSubscription, RedemptionReversedSubscriptionVariables> = {
  name: 'RedemptionReversed',
  id: '2d1cc41eda35a3ec902278e5a3c9571ea38e471980472ddb57d411f8c6e4aed8',
  text: "subscription RedemptionReversed($after: String) { redemptionReversed(after: $after) { eventId cursor redemptionId userId } }",
};

export const OrderClosed: Operation<OrderClosedSubscription, OrderClosedSubscriptionVariables> = {
  name: 'OrderClosed',
  id: 'd4a584734cd4d189abbde9b35fc3d5aa39f82351324a4b427226a7c5664feecf',
  text: "subscription OrderClosed($after: String) { orderClosed(after: $after) { eventId cursor orderNo type status closeReason points userId } }",
};

export const SubscriptionInvalidated: Operation<SubscriptionInvalidatedSubscription, SubscriptionInvalidatedSubscriptionVariables> = {
  name: 'SubscriptionInvalidated',
  id: '9a409839500cc75a8095529430ddfe3d66faf117fc60a0e94e287fb076aa78c3',
  text: "subscription SubscriptionInvalidated($after: String) { subscriptionInvalidated(after: $after) { eventId cursor subscriptionId planId userId } }",
};

export const SessionRevoked: Operation<SessionRevokedSubscription, SessionRevokedSubscriptionVariables> = {
  name: 'SessionRevoked',
  id: '7fd9fca4654c9c3cfafb20176477873bc6d9b72716b709ce2c01168abd7cb4be',
  text: "subscription SessionRevoked($after: String) { sessionRevoked(after: $after) { eventId cursor deviceId userId reason } }",
};
