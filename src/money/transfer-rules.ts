import { Money } from '../platform/decimal.js';
import { DomainError } from '../platform/errors.js';
import type { Id } from '../platform/ids.js';
import type { MoneyTerms, CurrencyTerms } from './money-terms.js';
import type { TransferRefusal } from './money.errors.js';

/** A transfer as it is asked for; the input has been checked. */
export interface WantedTransfer {
  readonly fromUserId: Id;
  readonly toUserId: Id;
  readonly facilityId: Id;
  readonly currency: string;
  readonly orderId: string;
  readonly amount: string;
}

/** How an amount is divided: `amount = fee + net`. */
export interface TransferShares {
  readonly fee: Money;
  readonly net: Money;
}

/**
 * The fee is the rate of the amount, rounded at the currency's scale to the nearest, and a half to the even digit:
 * 0.125 becomes 0.12, and 0.135 becomes 0.14. The recipient gets the rest, so that nothing is lost or made.
 */
export function sharesOf(amount: Money, { feeRate, scale }: CurrencyTerms): TransferShares {
  const fee = amount.times(feeRate).toDecimalPlaces(scale, Money.ROUND_HALF_EVEN);
  return { fee, net: amount.minus(fee) };
}

/** Why a transfer is refused whatever the balances and what was transferred before; null where it may be made. */
export function refusalByTerms(
  { facilities, currencies, users }: MoneyTerms,
  wanted: WantedTransfer,
): DomainError<TransferRefusal> | null {
  const facility = facilities.get(wanted.facilityId);
  if (facility === undefined)
    return refusal('FACILITY_NOT_FOUND', 'The tenant has no facility with this id.', 'facilityId');
  if (!facility.enabled) return refusal('FACILITY_DISABLED', 'The facility is disabled.', 'facilityId');
  const recipient = users.get(wanted.toUserId);
  if (recipient === undefined)
    return refusal('RECIPIENT_NOT_FOUND', 'The tenant has no user with this id.', 'toUserId');
  if (recipient.status !== 'ACTIVE')
    return refusal('RECIPIENT_DISABLED', 'The recipient is DISABLED.', 'toUserId');
  const currency = currencies.get(wanted.currency);
  if (currency === undefined)
    return refusal('CURRENCY_NOT_FOUND', 'The tenant has no currency with this code.', 'currency');
  if (!currency.enabled) return refusal('CURRENCY_DISABLED', 'The currency is disabled.', 'currency');
  if (wanted.toUserId === wanted.fromUserId)
    return refusal('TRANSFER_TO_ONESELF', 'Name another user as the recipient.', 'toUserId');
  return refusalByAmount(currency, new Money(wanted.amount));
}

function refusalByAmount(currency: CurrencyTerms, amount: Money): DomainError<TransferRefusal> | null {
  const { code, scale, transferMax } = currency;
  if (amount.decimalPlaces() > scale)
    return refusal('AMOUNT_TOO_PRECISE', `${code} has ${scale} digits after the point.`, 'amount');
  if (transferMax !== null && amount.greaterThan(transferMax)) {
    const most = new Money(transferMax).toFixed();
    return refusal('TRANSFER_MAX_EXCEEDED', `One transfer is at most ${most} ${code}.`, 'amount');
  }
  return null;
}

export function refusal(code: TransferRefusal, message: string, field: string): DomainError<TransferRefusal> {
  return new DomainError(code, message, { field: ['input', field] });
}
