import { z } from 'zod';
import { Money } from '../platform/decimal.js';
import { countNumber, foreignKeyText, nameText, orElse } from '../platform/input.js';
import { expectedVersion } from '../platform/database/change-row.js';

/** An amount as text, in its one spelling. */
const decimalText = z
  .string()
  .regex(
    /^-?[0-9]{1,20}(\.[0-9]{1,10})?$/,
    'must be a decimal such as "9.90": up to 20 digits, and up to 10 after the point',
  )
  .transform((text) => new Money(text).toFixed());
const positiveAmount = decimalText.refine((text) => new Money(text).greaterThan(0), 'must be above 0');
const feeRate = decimalText.refine((text) => {
  const rate = new Money(text);
  return rate.greaterThanOrEqualTo(0) && rate.lessThan(1);
}, 'must be at least 0 and below 1');
const countMax = countNumber(1, 1_000_000_000);

/** In the order of precedence of the refusals. A limit that is missing or null is none. */
export const createCurrencyInput = z.strictObject({
  code: z.string().regex(/^[A-Z][A-Z0-9]{1,7}$/, 'must be 2 to 8 capitals and digits, a capital first'),
  name: nameText(64),
  scale: countNumber(0, 10),
  feeRate: orElse(feeRate, '0'),
  transferMax: orElse(positiveAmount, null),
  dailyCountMax: orElse(countMax, null),
  dailySumMax: orElse(positiveAmount, null),
});

/** A field that is missing stays; a limit of null is taken away. The scale never changes: amounts in circulation have it. */
export const updateCurrencyInput = z.strictObject({
  name: nameText(64).nullish(),
  feeRate: feeRate.nullish(),
  transferMax: positiveAmount.nullable().optional(),
  dailyCountMax: countMax.nullable().optional(),
  dailySumMax: positiveAmount.nullable().optional(),
  enabled: z.boolean().nullish(),
  expectedVersion,
});

export const createFacilityInput = z.strictObject({ name: nameText(64) });
export const updateFacilityInput = z.strictObject({
  name: nameText(64).nullish(),
  enabled: z.boolean().nullish(),
  expectedVersion,
});

export const adjustBalanceInput = z.strictObject({
  orderId: foreignKeyText,
  amount: decimalText.refine((text) => !new Money(text).isZero(), 'must not be 0'),
  remark: nameText(255),
  userId: z.string(),
  facilityId: z.string(),
  currency: z.string(),
});

export const transferInput = z.strictObject({
  orderId: foreignKeyText,
  amount: positiveAmount,
  toUserId: z.string(),
  facilityId: z.string(),
  currency: z.string(),
});
