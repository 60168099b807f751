import type { MikroORM } from '@mikro-orm/core';
import { Currency } from '../money/currency.entity.js';
import { tenantEm } from '../platform/database/orm.js';

/** Digits after the point of a tenant's currency; null where the tenant has no such currency. */
export type CurrencyScales = (tenantId: string, currency: string) => Promise<number | null>;

/** A scale never changes, and a disabled currency keeps its own. */
export function currencyScalesOf(orm: MikroORM): CurrencyScales {
  return async (tenantId, code) => {
    const em = tenantEm(orm, tenantId);
    const currency = await em.findOne(Currency, { code }, { fields: ['scale'], disableIdentityMap: true });
    return currency?.scale ?? null;
  };
}
