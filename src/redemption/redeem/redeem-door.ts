import { z } from 'zod';
import { Money } from '../../platform/decimal.js';
import { REWARD_TYPES } from '../../rewards/reward-rule.js';
import type { RedemptionRecord } from '../history/redemption-record.js';
import { GRANT_STATUSES } from '../history/reward-grant.entity.js';
import type { RedeemRefusal } from '../redemption.errors.js';
import type { RedeemAnswer } from './redeem-request.js';

/** The status of each refusal of `POST /api/redeem`. The transport adds those of requests that reach no redemption. */
const REDEEM_STATUS: Readonly<Record<RedeemRefusal, number>> = {
  TENANT_NOT_ACTIVE: 403,
  USER_DISABLED: 403,
  SESSION_ENDED: 401,
  IDEMPOTENCY_KEYS_DIFFER: 400,
  IDEMPOTENCY_KEY_MALFORMED: 400,
  IDEMPOTENCY_KEY_REUSED: 422,
  DEVICE_ID_MALFORMED: 400,
  PRODUCT_REQUIRED: 400,
  PRODUCT_UNKNOWN: 400,
  RATE_LIMITED: 429,
  CODE_MALFORMED: 422,
  CODE_NOT_FOUND: 404,
  CAMPAIGN_NOT_ACTIVE: 409,
  PRODUCT_NOT_ALLOWED: 403,
  CODE_INACTIVE: 409,
  CODE_NOT_STARTED: 409,
  CODE_EXPIRED: 410,
  CODE_NOT_YOURS: 403,
  ALREADY_REDEEMED: 409,
  USER_NOT_ELIGIBLE: 409,
  USER_LIMIT_REACHED: 409,
  CODE_EXHAUSTED: 410,
  CODE_HELD: 409,
  BUDGET_EXHAUSTED: 409,
  PLAN_SOLD_OUT: 409,
  PLAN_QUOTA_REACHED: 409,
  COUPON_NOT_ISSUABLE: 409,
  CURRENCY_NOT_AVAILABLE: 409,
  ACCOUNT_HALTED: 409,
  REWARD_HAS_NO_EFFECT: 409,
  NO_REWARD_FOR_USER: 409,
  // One status for all that it stands for, so that the status tells a guesser no more than the code.
  CODE_REFUSED: 422,
  SERVICE_UNAVAILABLE: 503,
};

/** The body names another user than the token. */
export const USER_ID_DIFFERS = 'USER_ID_DIFFERS';
export const REDEEM_DOOR_STATUS = { ...REDEEM_STATUS, [USER_ID_DIFFERS]: 403 } as const;

const STATUS = { COMMITTED: 200, PROCESSING: 202 } as const;

export function statusOf({ status, refusal }: RedeemAnswer): number {
  if (status !== 'REFUSED') return STATUS[status];
  return refusal === null ? 500 : REDEEM_STATUS[refusal.code];
}

export const redeemBody = z
  .strictObject({
    code: z.string().meta({ description: 'As the user typed it; case, spaces and hyphens do not matter.' }),
    userId: z.string().nullish().meta({
      description:
        "The id of the token's user, here or in the tenant's own system. The user comes from the token; another id is refused.",
    }),
    idempotencyKey: z.string().nullish().meta({ description: 'Instead of the header idempotency-key.' }),
  })
  .meta({ id: 'RedeemRequest' });

export const redeemHeaders = z.object({
  'x-product-code': z.string().meta({ description: 'The code of the product line, such as APP_A.' }),
  'x-device-id': z.string().optional().meta({ description: '1 to 64 visible ASCII characters.' }),
  'idempotency-key': z.string().optional().meta({
    description: 'Makes a retry safe: a repeated key gets the same answer. 1 to 64 visible ASCII characters.',
  }),
});

const redemptionSchema = z
  .object({
    id: z.string(),
    status: z.enum(['COMMITTED', 'REVERSED']),
    codeId: z.string(),
    campaignId: z.string(),
    userId: z.string(),
    useNo: z.int().nullable(),
    productCode: z.string(),
    claimedAt: z.iso.datetime(),
    settledAt: z.iso.datetime(),
    reversedAt: z.iso.datetime().nullable(),
    rewards: z.array(
      z.object({
        type: z.enum(REWARD_TYPES),
        status: z.enum(GRANT_STATUSES),
        sourceId: z.string(),
        targetId: z.string(),
        value: z.string().meta({ description: 'An exact decimal.' }),
      }),
    ),
  })
  .meta({ id: 'Redemption', description: 'One spent use of a code.' });

/** Every answer of the route, whatever its status. */
export const redeemAnswerSchema = z
  .object({
    status: z.enum(['COMMITTED', 'PROCESSING', 'REFUSED']),
    redemption: redemptionSchema.nullable().meta({ description: 'After ALREADY_REDEEMED the earlier one.' }),
    orderNo: z.string().nullable(),
    errors: z
      .array(
        z.object({
          code: z.string(),
          message: z.string(),
          field: z.array(z.string()).nullable(),
          retryAfterMs: z.int().nullable(),
        }),
      )
      .meta({ description: 'Empty unless status is REFUSED.' }),
  })
  .meta({ id: 'RedeemAnswer' });

/** The fields of the GraphQL type `Redemption`. */
export function shownRedemption(record: RedemptionRecord): object {
  const { id, status, codeId, campaignId, userId, useNo, productCode, claimedAt, settledAt, reversedAt } =
    record;
  const rewards = record.rewards.map(({ type, status: state, sourceId, targetId, value }) => ({
    type,
    status: state,
    sourceId,
    targetId,
    value: new Money(value).toFixed(),
  }));
  return {
    id,
    status,
    codeId,
    campaignId,
    userId,
    useNo,
    productCode,
    claimedAt,
    settledAt,
    reversedAt,
    rewards,
  };
}
