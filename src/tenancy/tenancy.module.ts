import { ProductLine } from './product-line.entity.js';
import { ProductLineResolver } from './product-line.resolver.js';
import { ProductLineService } from './product-line.service.js';
import { TenantChangeService, type TenantCopies } from './tenant-change.service.js';
import { Tenant } from './tenant.entity.js';
import { TenantResolver } from './tenant.resolver.js';
import type { PlatformServices } from '../platform/platform-services.js';
import { TenantService } from './tenant.service.js';
import { TENANCY_PERMISSIONS } from './tenancy.permissions.js';

type Needs = Pick<PlatformServices, 'orm' | 'readOrm' | 'clock' | 'transactions'>;

/** Tenants and their product lines. */
export const tenancy = {
  name: 'tenancy',
  entities: [Tenant, ProductLine],
  resolvers: [TenantResolver, ProductLineResolver],
  permissions: TENANCY_PERMISSIONS,
  compose: (its: Needs) => {
    const { orm, readOrm, clock, transactions } = its;
    const tenants = new TenantService(orm, clock, readOrm);
    const lines = new ProductLineService(its);
    /** Features that keep names or statuses of tenants as well; they put themselves in. */
    const tenantCopies: Partial<TenantCopies>[] = [];
    const tenantChanges = new TenantChangeService(transactions, tenants, tenantCopies);
    return {
      services: { tenants, tenantChanges, tenantCopies, lines },
      resolvers: [new TenantResolver(tenants, tenantChanges), new ProductLineResolver(lines)],
    };
  },
};
