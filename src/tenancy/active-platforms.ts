import { LockMode } from '@mikro-orm/core';
import type { Em } from '../platform/database/orm.js';
import { ACROSS_TENANTS } from '../platform/database/tenant-filter.js';
import { Tenant } from './tenant.entity.js';

/**
 * Locks the tenants that run the installation, in order of their id: of two changes at once that each take one of them
 * away, the second is decided by what the first has left.
 * @returns their ids
 */
export async function lockActivePlatforms(em: Em): Promise<string[]> {
  const lock = { disableIdentityMap: true, lockMode: LockMode.PESSIMISTIC_WRITE } as const;
  const where = { type: 'PLATFORM', status: 'ACTIVE' } as const;
  const rows = await em.find(Tenant, where, { ...lock, ...ACROSS_TENANTS, orderBy: { id: 'asc' } });
  return rows.map(({ id }) => id);
}
