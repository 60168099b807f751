import { Currency } from '../../money/currency.entity.js';
import { Facility } from '../../money/facility.entity.js';
import { DomainError } from '../../platform/errors.js';
import { isId, type Id } from '../../platform/ids.js';
import type { Em } from '../../platform/database/orm.js';
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
 * enabled, so that a tenant with one of each never names them.
 * @throws DomainError FACILITY_REQUIRED FACILITY_NOT_FOUND CURRENCY_REQUIRED CURRENCY_NOT_FOUND
 */
export async function accountOf(
  em: Em,
  wanted: Pick<PlaceOrder, 'facilityId' | 'currency'>,
): Promise<OrderAccount> {
  const facility = await facilityOf(em, wanted.facilityId);
  const { code: currency, scale } = await currencyOf(em, wanted.currency);
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

async function currencyOf(em: Em, code: string | null): Promise<Currency> {
  const found = await em.find(Currency, { enabled: true, ...(code !== null && { code }) }, FEW);
  if (found.length > 1)
    refuse('CURRENCY_REQUIRED', 'The tenant has several currencies: name one.', 'currency');
  return (
    found[0] ?? refuse('CURRENCY_NOT_FOUND', 'The tenant has no such currency that is enabled.', 'currency')
  );
}

function refuse(code: PlaceOrderRefusal, message: string, field: keyof PlaceOrder): never {
  throw new DomainError(code, message, { field: ['input', field] });
}
