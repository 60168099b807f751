import { Money, MONEY_MAX } from '../../platform/decimal.js';

/**
 * A price times a quantity, rounded half to even at the currency's scale. What has a price is never free: a total below
 * half of the smallest unit is rounded up to it.
 * @returns null where it is no amount any more
 */
export function totalOf(unitPrice: string, quantity: number, scale: number): string | null {
  const exact = new Money(unitPrice).times(quantity);
  const rounded = exact.toDecimalPlaces(scale);
  const total = rounded.isZero() ? exact.toDecimalPlaces(scale, Money.ROUND_UP) : rounded;
  return total.lessThanOrEqualTo(MONEY_MAX) ? total.toFixed() : null;
}

/** What points pay, rounded down at the currency's scale: a fraction of the smallest unit pays nothing. */
export function worthOf(points: number, pointValue: string, scale: number): string {
  return new Money(pointValue).times(points).toDecimalPlaces(scale, Money.ROUND_DOWN).toFixed();
}

export function minus(amount: string, ...parts: readonly string[]): string {
  return parts.reduce((rest, part) => rest.minus(part), new Money(amount)).toFixed();
}

export function plus(a: string, b: string): string {
  return new Money(a).plus(b).toFixed();
}

export function isMore(a: string, b: string): boolean {
  return new Money(a).greaterThan(b);
}

export function isSameAmount(a: string, b: string): boolean {
  return new Money(a).equals(b);
}

export function isZero(amount: string): boolean {
  return new Money(amount).isZero();
}

/** Digits after the point, without zeros at the end. */
export function scaleOf(amount: string): number {
  return new Money(amount).decimalPlaces();
}
