import type { FilterDef } from '@mikro-orm/core';

export const TENANT_FILTER = 'tenant';

/**
 * On for every query of every entity that has a tenant. Without parameters a query throws, so the tenant
 * cannot be forgotten; code that really works across tenants says so with {@link ACROSS_TENANTS}.
 */
export const tenantFilter: FilterDef = {
  name: TENANT_FILTER,
  default: true,
  args: true,
  cond: ({ tenantId }: { tenantId?: string }, _type, _em, _options, entityName?: string) => {
    if (entityName !== undefined && WITHOUT_TENANT.has(entityName)) return {};
    return entityName === 'Tenant' ? { id: tenantId } : { tenantId };
  },
};

/** Entities of the installation rather than of a tenant. */
const WITHOUT_TENANT = new Set(['CodePepper', 'Lease', 'ProcessNode']);

/** For the few places that work across tenants: the consumers of events, the sweepers, the operations commands. */
export const ACROSS_TENANTS = { filters: { [TENANT_FILTER]: false } } as const;
