import type { Em } from '../../platform/database/orm.js';
import type { Id } from '../../platform/ids.js';
import { staffRefusal } from './staff.errors.js';

interface OwnerRow {
  readonly id: Id;
  readonly is_owner: number;
}

/**
 * Locks all accounts of the tenant, in order of their key, and refuses where this one is the last active OWNER. Under the
 * lock two OWNERs who remove each other come one after the other, and the second is refused.
 * @throws DomainError LAST_OWNER
 */
export async function assertOwnerRemains(em: Em, tenantId: string, staffId: Id): Promise<void> {
  const rows = await em.execute<OwnerRow[]>(
    `select cast(id as char) as id, role = 'OWNER' and status = 'ACTIVE' as is_owner
     from staff force index (primary) where tenant_id = ? order by staff.id for update`,
    [tenantId],
  );
  const owners = rows.filter(({ is_owner: isOwner }) => isOwner === 1).map(({ id }) => id);
  if (owners.length === 1 && owners[0] === staffId) throw staffRefusal('LAST_OWNER');
}
