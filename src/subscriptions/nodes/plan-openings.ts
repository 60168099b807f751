import type { Id } from '../../platform/ids.js';

/** The fields of a plan that decide which nodes it opens. */
export interface PlanOpenings {
  readonly nodeIds: readonly Id[];
  readonly nodeTags: readonly string[];
}

/** The fields of a node that decide which plans open it. */
export interface OpenableNode {
  readonly id: Id;
  readonly tags: readonly string[];
}

/** A plan opens the nodes that it names and those that have one of its tags; one that says neither opens all. */
export function opensNode({ nodeIds, nodeTags }: PlanOpenings, { id, tags }: OpenableNode): boolean {
  if (nodeIds.length === 0 && nodeTags.length === 0) return true;
  return nodeIds.includes(id) || tags.some((tag) => nodeTags.includes(tag));
}
