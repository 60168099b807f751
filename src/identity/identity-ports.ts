import type { Id } from '../platform/ids.js';

/** What identity asks of the feature that has the nodes, which comes after it and fills it in. */
export interface IdentityPorts {
  /** Those of the nodes that exist. */
  findNodes(tenantId: string, nodeIds: readonly Id[]): Promise<ReadonlySet<Id>>;
}
