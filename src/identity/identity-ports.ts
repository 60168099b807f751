import type { Em } from '../platform/database/orm.js';
import type { Id } from '../platform/ids.js';

/** What identity needs of nodes and subscriptions; that feature comes later and fills it in. */
export interface IdentityPorts {
  /** Those of the nodes that exist. */
  findNodes(tenantId: string, nodeIds: readonly Id[]): Promise<ReadonlySet<Id>>;
  /** A user was disabled or enabled: in the transaction of the caller, who has locked the user. */
  userStatusChanged(em: Em, tenantId: string, userId: Id): Promise<void>;
}
