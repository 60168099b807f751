import { Decimal } from 'decimal.js';

/**
 * Money and rates never pass through a float. 60 digits hold every product of two amounts, and every total of them
 * that `totalColumn` holds, exactly.
 */
export const Money = Decimal.clone({
  precision: 60,
  rounding: Decimal.ROUND_HALF_EVEN,
  toExpNeg: -30,
  toExpPos: 60,
});
export type Money = InstanceType<typeof Money>;

/** The largest amount: what DECIMAL(30,10), and with it the API, can state. */
export const MONEY_MAX = '99999999999999999999.9999999999';
