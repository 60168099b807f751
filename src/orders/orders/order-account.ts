import { Currency } from '../../money/currency.entity.js';
import { Facility } from '../../money/facility.entity.js';
import { DomainError } from '../../platform/errors.js';
import { isId, type Id } from '../../platform/ids.js';
import type { Em } from '../../platform/database/orm.js';
import type { Plan } from '../../subscriptions/plan.entity.js';
import type { PlaceOrder } from './order-input.js';
import type { PlaceOrderRefusal } from './order.errors.js';

/** Where the money of an order is. */
export interface OrderAccount {
  readonly facilityId: Id;
  readonly currency: string;
  /** Digits of the currency after the point. */
  readonly scale: number;
}

/**
 * The account that an order is about. What it does not name is the tenant's only facility and only currency that are
 * enabled, so that a tenant with one of each never names them. What a plan costs is in the currency of its prices.
 * @param plan what is bought; null where nothing with a price is
 * @throws DomainError FACILITY_REQUIRED FACILITY_NOT_FOUND CURRENCY_REQUIRED CURRENCY_NOT_FOUND PLAN_CURRENCY_DIFFERS
 */
export async function accountOf(
  em: Em,
  wanted: Pick<PlaceOrder, 'facilityId' | 'currency'>,
  plan: Pick<Plan, 'currency'> | null = null,
): Promise<OrderAccount> {
  const facility = await facilityOf(em, wanted.facilityId);
  const { code: currency, scale } =
    plan === null ? await currencyOf(em, wanted.currency) : await currencyOfPlan(em, plan, wanted.currency);
  return { facilityId: facility.id, currency, scale };
}

const FEW = { limit: 2, disableIdentityMap: true } as const;

async function facilityOf(em: Em, id: Id | null): Promise<Facility> {
  const where = { enabled: true, ...(id !== null && { id }) };
  const found = id !== null && !isId(id) ? [] : await em.find(Facility, where, FEW);
  if (found.length > 1)
    refuse('FACILITY_REQUIRED', 'The tenant has several facilities: name one.', 'facilityId');
  return (
    found[0] ?? refuse('FACILITY_NOT_FOUND', 'The tenant has no such facility that is enabled.', 'facilityId')
  );
}

/** The buyer never chooses it: the same number in another currency is another price. */
async function currencyOfPlan(
  em: Em,
  { currency: priced = null }: Pick<Plan, 'currency'>,
  named: string | null,
): Promise<Currency> {
  if (priced === null) {
    const only = await currencyOf(em, null, 'The tenant has several currencies, and the plan is in none.');
    return named === null ? only : currencyOf(em, named);
  }
  const asked = named === null ? null : await currencyOf(em, named);
  const own = await currencyOf(em, priced);
  if (asked !== null && asked.code !== own.code)
    refuse('PLAN_CURRENCY_DIFFERS', `The prices of this plan are in ${own.code}.`, 'currency');
  return own;
}

async function currencyOf(
  em: Em,
  code: string | null,
  several = 'The tenant has several currencies: name one.',
): Promise<Currency> {
  const found = await em.find(Currency, { enabled: true, ...(code !== null && { code }) }, FEW);
  if (found.length > 1) refuse('CURRENCY_REQUIRED', several, 'currency');
  return (
    found[0] ?? refuse('CURRENCY_NOT_FOUND', 'The tenant has no such currency that is enabled.', 'currency')
  );
}

function refuse(code: PlaceOrderRefusal, message: string, field: keyof PlaceOrder): never {
  throw new DomainError(code, message, { field: ['input', field] });
}
