import type { UserActor } from '../../graphql/actor.js';
import type { RedeemAnswer, RedeemRequest, Refusal } from './redeem-request.js';
import { isPassing, REDEEM_REFUSALS } from '../redemption.errors.js';
import type { RedemptionPreview } from './redemption-preview.service.js';

/** What a request says besides its body, over either transport. */
interface RequestHeaders {
  readonly productCode: string | null;
  readonly deviceId: string | null;
  readonly idempotencyKey: string | null;
  readonly ip?: string | null;
}

/** Puts a request together: who asks from the token, where from the headers, what from the input. */
export function redeemRequest(
  actor: UserActor,
  headers: RequestHeaders,
  input: { readonly code: string; readonly idempotencyKey?: string | null | undefined },
): RedeemRequest {
  return {
    tenantId: actor.tenantId,
    userId: actor.userId,
    sessionId: actor.sessionId,
    code: input.code,
    productCode: headers.productCode,
    deviceId: headers.deviceId,
    ip: headers.ip ?? null,
    idempotencyKey: input.idempotencyKey ?? headers.idempotencyKey,
    headerKey: headers.idempotencyKey,
  };
}

/** The answer in the shape of the schema. */
export function redeemPayload(answer: RedeemAnswer) {
  const { status, redemption, orderNo, refusal } = answer;
  return {
    status,
    redemption,
    orderNo,
    errors: errorsOf(refusal),
    // Not for the caller: the places of redemptions go by it.
    isLastingRefusal: refusal !== null && !isPassing(refusal.code),
  };
}

export function previewPayload(preview: RedemptionPreview) {
  const { refusal, storeAway, campaignName, expiresAt, rewards } = preview;
  return {
    wouldRedeem: refusal === null,
    campaignName,
    expiresAt,
    rewards: rewards,
    errors: errorsOf(refusal),
    // Not for the caller: the shares of queries go by it.
    storeAway,
  };
}

function errorsOf(refusal: Refusal | null) {
  if (refusal === null) return [];
  const { code, retryAfterMs } = refusal;
  return [{ code, message: REDEEM_REFUSALS[code], field: FIELDS[code] ?? null, retryAfterMs }];
}

const CODE_FIELD = ['input', 'code'];
const KEY_FIELD = ['input', 'idempotencyKey'];

/** Which input a refusal is about, where it is about one. */
const FIELDS: Partial<Record<Refusal['code'], string[]>> = {
  IDEMPOTENCY_KEYS_DIFFER: KEY_FIELD,
  IDEMPOTENCY_KEY_MALFORMED: KEY_FIELD,
  IDEMPOTENCY_KEY_REUSED: KEY_FIELD,
  CODE_MALFORMED: CODE_FIELD,
  CODE_NOT_FOUND: CODE_FIELD,
};
