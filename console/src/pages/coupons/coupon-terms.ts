import { moneyText } from '../../kit/format';
import type { CouponKind, CouponStatus } from './coupons.gql';

export const COUPON_STATUSES = [
  'AVAILABLE',
  'RESERVED',
  'USED',
  'EXPIRED',
] as const satisfies readonly CouponStatus[];

export const KIND_TEXTS: Readonly<Record<CouponKind, string>> = {
  AMOUNT: 'A balance, used in parts',
  THRESHOLD: 'An amount off, from a minimum on',
  RATE: 'A share of the total',
};

interface Worth {
  readonly kind: CouponKind;
  readonly amount: string;
  readonly minimum: string;
  readonly rateMille: number;
  readonly currency: string;
}

/** What a coupon takes off, in words. */
export function worthText({ kind, amount, minimum, rateMille, currency }: Worth): string {
  if (kind === 'RATE') return `${rateMille / 10} % off in ${currency}`;
  const off = moneyText(amount, currency);
  return kind === 'AMOUNT' ? off : `${off} off from ${moneyText(minimum, null)} on`;
}
