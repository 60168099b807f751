import type { ErasedUser, UserErasure } from '../identity/identity.module.js';
import type { Em } from '../platform/database/orm.js';

/** Without the key nobody can read what entries hold of the user; the entries stay as they are. */
export class AuditErasure implements UserErasure {
  async erase(em: Em, { tenantId, userId }: ErasedUser): Promise<void> {
    await em.execute('delete from user_seal where tenant_id = ? and user_id = ?', [tenantId, userId]);
  }
}
