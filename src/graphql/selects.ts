import { Kind, type GraphQLResolveInfo, type SelectionSetNode } from 'graphql';
import type { PageRange } from '../platform/database/find-page.js';
import type { ListArgs } from './page.js';

/** The part of a list that a caller asks for. Rows are counted only for callers that select the total. */
export function rangeOf(
  { offset, size, afterId, isOldestFirst }: ListArgs & { readonly isOldestFirst?: boolean },
  info: GraphQLResolveInfo,
): PageRange {
  return { offset, size, afterId, isOldestFirst, isCounted: selects(info, 'total') };
}

/**
 * Whether the caller asks for this field of the answer: what costs much is only made for those who read it.
 * @param path names from the answer inwards, such as `items`, `report`
 */
export function selects(
  { fieldNodes, fragments }: Pick<GraphQLResolveInfo, 'fieldNodes' | 'fragments'>,
  ...[name, ...inner]: readonly [string, ...string[]]
): boolean {
  const seen = new Set<string>();
  const isIn = ({ selections }: SelectionSetNode): boolean =>
    selections.some((selection) => {
      if (selection.kind === Kind.FIELD) {
        if (selection.name.value !== name) return false;
        const [next, ...rest] = inner;
        return next === undefined || selects({ fieldNodes: [selection], fragments }, next, ...rest);
      }
      if (selection.kind === Kind.INLINE_FRAGMENT) return isIn(selection.selectionSet);
      const { value: spread } = selection.name;
      if (seen.has(spread)) return false;
      seen.add(spread);
      const fragment = fragments[spread];
      return fragment !== undefined && isIn(fragment.selectionSet);
    });
  return fieldNodes.some(({ selectionSet }) => selectionSet !== undefined && isIn(selectionSet));
}
