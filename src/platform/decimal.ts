import { Decimal } from 'decimal.js';

/** Money and rates never pass through a float; 40 digits hold every DECIMAL(30,10) product exactly. */
export const Money = Decimal.clone({
  precision: 40,
  rounding: Decimal.ROUND_HALF_EVEN,
  toExpNeg: -30,
  toExpPos: 40,
});
export type Money = InstanceType<typeof Money>;
