import type { ErasedUser, UserErasure } from '../identity/identity.module.js';
import type { Em } from '../platform/database/orm.js';

/** Deletes the key of the user: the data in the entries become unreadable, and the entries do not change. */
export class AuditErasure implements UserErasure {
  async erase(em: Em, { tenantId, userId }: ErasedUser): Promise<void> {
    await em.execute('delete from user_seal where tenant_id = ? and user_id = ?', [tenantId, userId]);
  }
}
