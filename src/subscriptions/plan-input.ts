import { z } from 'zod';
import { isId } from '../platform/ids.js';
import { countNumber, nameText, orElse, parseInput } from '../platform/input.js';
import { expectedVersion, givenFields } from '../platform/database/change-row.js';
import { TIME_UNITS } from '../rewards/time-unit.js';
import { RESET_CYCLES } from './plan.entity.js';

/** GraphQL's Int ends here, and so does the inventory's column. */
const INT_MAX = 2_147_483_647;
const LIMIT_MAX = 1_000_000;

const distinct = (item: z.ZodType<string>, most: number) =>
  z
    .array(item)
    .max(most, `must hold at most ${most}`)
    .transform((items) => [...new Set(items)]);

const price = z
  .string()
  .regex(
    /^[0-9]{1,20}(\.[0-9]{1,10})?$/,
    'must be a decimal such as 9.90, not negative and without an exponent',
  );

/** In the order of precedence of the refusals. */
const fields = {
  name: nameText(64),
  unitPrice: price,
  resetPrice: price,
  currency: z.string().regex(/^[A-Z][A-Z0-9]{1,7}$/, 'must be the code of a currency such as USD'),
  trafficBytes: countNumber(0, Number.MAX_SAFE_INTEGER),
  deviceLimit: countNumber(0, LIMIT_MAX),
  quotaPerUser: countNumber(0, LIMIT_MAX),
  inventory: countNumber(-1, INT_MAX),
  nodeIds: distinct(z.string().refine(isId, 'must be an id'), 1000),
  nodeTags: distinct(nameText(32), 100),
  resetCycle: z.enum(RESET_CYCLES, `must be one of ${RESET_CYCLES.join(', ')}`),
  sell: z.boolean(),
  show: z.boolean(),
  keepsAnchorDay: z.boolean(),
};

/** What is missing or null takes the preset. */
const createPlanInput = z.strictObject({
  name: fields.name,
  unitPrice: fields.unitPrice,
  resetPrice: orElse(fields.resetPrice, null),
  currency: orElse(fields.currency, null),
  unitTime: z.enum(TIME_UNITS, `must be one of ${TIME_UNITS.join(', ')}`),
  trafficBytes: orElse(fields.trafficBytes, 0),
  deviceLimit: orElse(fields.deviceLimit, 0),
  quotaPerUser: orElse(fields.quotaPerUser, 0),
  inventory: orElse(fields.inventory, -1),
  nodeIds: fields.nodeIds.nullish().transform((ids) => ids ?? []),
  nodeTags: fields.nodeTags.nullish().transform((tags) => tags ?? []),
  resetCycle: orElse(fields.resetCycle, 'NONE'),
  sell: orElse(fields.sell, true),
  show: orElse(fields.show, true),
  keepsAnchorDay: orElse(fields.keepsAnchorDay, false),
});

/**
 * What is missing or null stays, except that null takes the currency away. The unit of time never changes: codes in
 * circulation promise a number of it.
 */
const updatePlanInput = z
  .strictObject({ ...fields, currency: fields.currency.nullable(), expectedVersion })
  .partial();

/** What a person sets; judged by {@link checkPlan} whatever its type claims. */
export type CreatePlan = Omit<z.input<typeof createPlanInput>, 'unitTime' | 'resetCycle'> & {
  unitTime: string;
  resetCycle?: string | null | undefined;
};
export type CheckedPlan = z.output<typeof createPlanInput>;

const FIELD_REFUSALS = {
  name: 'PLAN_NAME_MALFORMED',
  unitPrice: 'PLAN_PRICE_MALFORMED',
  resetPrice: 'PLAN_PRICE_MALFORMED',
  currency: 'PLAN_CURRENCY_MALFORMED',
  trafficBytes: 'PLAN_TRAFFIC_OUT_OF_RANGE',
  deviceLimit: 'PLAN_DEVICE_LIMIT_OUT_OF_RANGE',
  quotaPerUser: 'PLAN_QUOTA_OUT_OF_RANGE',
  inventory: 'PLAN_INVENTORY_OUT_OF_RANGE',
  nodeIds: 'PLAN_NODES_MALFORMED',
  nodeTags: 'PLAN_NODES_MALFORMED',
  resetCycle: 'PLAN_RESET_CYCLE_UNKNOWN',
  input: 'INPUT_NOT_ALLOWED',
} as const;

/** @throws DomainError with a code of `CREATE_PLAN_ERROR_CODES`: the first that applies, and the field at fault */
export function checkPlan(input: CreatePlan): CheckedPlan {
  return parseInput(createPlanInput, input, { ...FIELD_REFUSALS, unitTime: 'PLAN_UNIT_UNKNOWN' });
}

/** @throws DomainError with a code of `UPDATE_PLAN_ERROR_CODES`: the first that applies, and the field at fault */
export function checkPlanChange(input: object): z.output<typeof updatePlanInput> {
  const isFreed = 'currency' in input && input.currency === null;
  const changes = { ...givenFields(input), ...(isFreed && { currency: null }) };
  return parseInput(updatePlanInput, changes, FIELD_REFUSALS);
}
