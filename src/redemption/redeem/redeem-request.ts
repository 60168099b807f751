import type { Id } from '../../platform/ids.js';
import type { RedemptionRecord } from '../history/redemption-record.js';
import type { RedeemRefusal } from '../redemption.errors.js';

/** A wish to redeem a code. Who asks comes from the token, never from an argument. */
export interface RedeemRequest {
  readonly tenantId: string;
  readonly userId: Id;
  /** The sign-in of the user, where the token names one. */
  readonly sessionId?: Id | undefined;
  /** As it was typed. */
  readonly code: string;
  /** `x-product-code` */
  readonly productCode: string | null;
  /** `x-device-id` */
  readonly deviceId: string | null;
  /** The client's address; null where there is no connection, as for the command line. */
  readonly ip?: string | null;
  /** Whether nothing is to be redeemed: previews are counted apart. */
  readonly isPreview?: boolean;
  readonly idempotencyKey: string | null;
  /** The key of the header, which must be the same where there is one. */
  readonly headerKey?: string | null;
}

export interface RedeemAnswer {
  readonly status: 'COMMITTED' | 'PROCESSING' | 'REFUSED';
  /** The redemption; for ALREADY_REDEEMED the first one. */
  readonly redemption: RedemptionRecord | null;
  readonly orderNo: string | null;
  readonly refusal: Refusal | null;
}

export interface Refusal {
  readonly code: RedeemRefusal;
  readonly retryAfterMs: number | null;
}
