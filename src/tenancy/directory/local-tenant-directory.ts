import type { MikroORM } from '@mikro-orm/core';
import { systemEm } from '../../platform/database/orm.js';
import { ACROSS_TENANTS } from '../../platform/database/tenant-filter.js';
import { Tenant } from '../tenant.entity.js';
import type { DirectoryTenant, TenantDirectory } from './tenant-directory.js';

/** The table of tenants is the directory: nothing can be out of date. */
export class LocalTenantDirectory implements TenantDirectory {
  readonly isRemote = false;
  readonly breakerState = 'CLOSED';
  readonly downSinceMs = null;

  constructor(private readonly orm: MikroORM) {}

  async find(ids: readonly string[]): Promise<DirectoryTenant[]> {
    return systemEm(this.orm).find(
      Tenant,
      { id: { $in: [...ids] } },
      { ...ACROSS_TENANTS, disableIdentityMap: true },
    );
  }
}
