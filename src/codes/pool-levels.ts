import { compareIds, type Id } from '../platform/ids.js';

/** Items leave from the middle, too: dead ones, and those that a call took behind another call that was undone. */
const COUNTED_AGAIN_MS_PER_ITEM = 0.5;

/** What a look at a pool shows that reads one of its items. */
export interface PoolGlance {
  readonly tenantId: string;
  readonly campaignId: Id;
  readonly size: number;
  /** Null where the pool is empty. */
  readonly firstId: Id | null;
}

interface Mark {
  readonly decisiveId: Id;
  readonly untilMs: number;
}

/**
 * Which pools may be low. To count a pool is to read all of it, so that is done once; then the item is remembered whose
 * loss makes the pool low. Items are taken oldest first: until that one is gone, a look at the first item is enough.
 */
export class PoolLevels {
  private marks = new Map<string, Mark>();

  /** Those of all pools that may be low. */
  lowAmong(pools: readonly PoolGlance[]): PoolGlance[] {
    const marked = new Map(
      pools.flatMap((pool): [string, Mark][] => {
        const mark = this.marks.get(keyOf(pool));
        return mark !== undefined && stands(mark, pool.firstId) ? [[keyOf(pool), mark]] : [];
      }),
    );
    // Those of pools that are gone go with them.
    this.marks = marked;
    return pools.filter((pool) => !marked.has(keyOf(pool)));
  }

  /** Passes the pool over until this item is gone, or until a time is over that grows with the costs of the count. */
  passOver(pool: Omit<PoolGlance, 'firstId'>, decisiveId: Id): void {
    const untilMs = performance.now() + pool.size * COUNTED_AGAIN_MS_PER_ITEM;
    this.marks.set(keyOf(pool), { decisiveId, untilMs });
  }
}

function stands({ decisiveId, untilMs }: Mark, firstId: Id | null): boolean {
  return firstId !== null && compareIds(firstId, decisiveId) <= 0 && performance.now() < untilMs;
}

/** A pool of another size is another one. */
function keyOf({ tenantId, campaignId, size }: Omit<PoolGlance, 'firstId'>): string {
  return `${tenantId} ${campaignId} ${size}`;
}
