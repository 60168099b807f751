import type { OutboxDraft } from '../../platform/outbox/outbox.js';
import type { Id } from '../../platform/ids.js';

/** Which nodes plans open has changed; of the tenant, because it may concern every subscriber of a plan. */
export const NODES_CHANGED = 'nodes_changed';

export function nodesChanged(changed: { readonly nodeId: Id } | { readonly planId: Id }): OutboxDraft {
  return { type: NODES_CHANGED, userId: null, payload: { nodeId: null, planId: null, ...changed } };
}
