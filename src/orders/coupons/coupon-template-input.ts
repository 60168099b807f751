import { z } from 'zod';
import { Money } from '../../platform/decimal.js';
import { countNumber, instant, nameText, orElse } from '../../platform/input.js';
import { expectedVersion } from '../../platform/database/change-row.js';
import { COUPON_KINDS, type CouponKind } from './coupon-template.entity.js';

/** GraphQL's Int ends here, and so do the counts that people set. */
const COUNT_MAX = 2_147_483_647;
const DAYS_MAX = 36_500;
const WHOLE_MILLE = 1000;

const amountText = z
  .string()
  .regex(/^[0-9]{1,20}(\.[0-9]{1,10})?$/, 'must be an amount such as 12.50, not negative')
  .transform((text) => new Money(text).toFixed());
const currencyText = z.string().regex(/^[A-Z][A-Z0-9]{1,7}$/, 'must be the code of a currency such as USD');

/** In the order of precedence of the refusals. */
const fields = {
  name: nameText(64),
  issueLimit: countNumber(1, COUNT_MAX),
  validDays: countNumber(1, DAYS_MAX),
  startsAt: instant,
  endsAt: instant,
  enabled: z.boolean(),
};

/** Which terms a kind has: those are to be positive, the others missing or 0. */
const TERMS: Readonly<Record<CouponKind, readonly ('amount' | 'minimum' | 'rateMille')[]>> = {
  AMOUNT: ['amount'],
  THRESHOLD: ['amount', 'minimum'],
  RATE: ['rateMille'],
};

/** What is missing or null takes the preset. */
export const createTemplateInput = z
  .strictObject({
    name: fields.name,
    kind: z.enum(COUPON_KINDS, `must be one of ${COUPON_KINDS.join(', ')}`),
    currency: currencyText,
    amount: orElse(amountText, '0'),
    minimum: orElse(amountText, '0'),
    rateMille: orElse(countNumber(0, WHOLE_MILLE), 0),
    issueLimit: orElse(fields.issueLimit, null),
    validDays: orElse(fields.validDays, null),
    startsAt: orElse(fields.startsAt, null),
    endsAt: orElse(fields.endsAt, null),
    enabled: orElse(fields.enabled, true),
  })
  .superRefine((input, context) => {
    for (const term of ['amount', 'minimum', 'rateMille'] as const) {
      const isNeeded = TERMS[input.kind].includes(term);
      if (isNeeded !== new Money(input[term]).isZero()) continue;
      const message = isNeeded ? `must be above 0 for ${input.kind}` : `does not belong to ${input.kind}`;
      context.addIssue({ code: 'custom', message, path: [term] });
    }
    if (!isWindow(input)) context.addIssue({ code: 'custom', message: WINDOW_FAULT, path: ['endsAt'] });
  });
export type CouponTemplateWanted = z.output<typeof createTemplateInput>;

/** What may change later. What is missing stays; null takes a limit or an end of the window away. */
export const updateTemplateInput = z.strictObject({
  name: fields.name.nullish(),
  issueLimit: fields.issueLimit.nullish(),
  validDays: fields.validDays.nullish(),
  startsAt: fields.startsAt.nullish(),
  endsAt: fields.endsAt.nullish(),
  enabled: fields.enabled.nullish(),
  expectedVersion,
});

export const WINDOW_FAULT = 'must lie after the beginning';

export function isWindow({
  startsAt,
  endsAt,
}: {
  readonly startsAt?: Date | null | undefined;
  readonly endsAt?: Date | null | undefined;
}): boolean {
  return !startsAt || !endsAt || startsAt < endsAt;
}

/** By which code a field is refused. */
export const CHANGEABLE_FIELD_REFUSALS = {
  input: 'INPUT_NOT_ALLOWED',
  name: 'NAME_NOT_ALLOWED',
  issueLimit: 'ISSUE_LIMIT_OUT_OF_RANGE',
  validDays: 'VALID_DAYS_OUT_OF_RANGE',
  startsAt: 'WINDOW_NOT_ALLOWED',
  endsAt: 'WINDOW_NOT_ALLOWED',
} as const;
export const FIELD_REFUSALS = {
  ...CHANGEABLE_FIELD_REFUSALS,
  kind: 'COUPON_KIND_UNKNOWN',
  currency: 'CURRENCY_NOT_ALLOWED',
  amount: 'COUPON_AMOUNT_NOT_ALLOWED',
  minimum: 'COUPON_MINIMUM_NOT_ALLOWED',
  rateMille: 'COUPON_RATE_NOT_ALLOWED',
} as const;
