/** On whose behalf work is done. Anonymous callers share a tenant of their own, each under its address. */
export interface Caller {
  readonly tenantId: string;
  readonly id: string;
}

/**
 * Waiting items, taken in turn: a tenant each, and within it a caller each, so that a caller with a thousand items
 * delays another's first by one.
 */
export class FairQueue<T> {
  private readonly tenants = new Map<string, Map<string, T[]>>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** How many items of one caller wait. */
  sizeOf({ tenantId, id }: Caller): number {
    return this.tenants.get(tenantId)?.get(id)?.length ?? 0;
  }

  push({ tenantId, id }: Caller, item: T): void {
    const callers = this.tenants.get(tenantId) ?? new Map<string, T[]>();
    const items = callers.get(id) ?? [];
    items.push(item);
    callers.set(id, items);
    this.tenants.set(tenantId, callers);
    this.count += 1;
  }

  /** The next item of a caller who may have one; undefined when there is none. */
  take(may: (caller: Caller) => boolean = () => true): T | undefined {
    for (const [tenantId, callers] of this.tenants) {
      for (const [id, items] of callers) {
        if (!may({ tenantId, id })) continue;
        const item = items.shift();
        this.count -= 1;
        moveLast(callers, id, items.length > 0);
        moveLast(this.tenants, tenantId, callers.size > 0);
        return item;
      }
    }
    return undefined;
  }

  /** Removes an item that no longer waits. */
  remove({ tenantId, id }: Caller, item: T): void {
    const callers = this.tenants.get(tenantId);
    const items = callers?.get(id);
    const at = items?.indexOf(item) ?? -1;
    if (callers === undefined || items === undefined || at < 0) return;
    items.splice(at, 1);
    this.count -= 1;
    if (items.length === 0) callers.delete(id);
    if (callers.size === 0) this.tenants.delete(tenantId);
  }
}

/** A map keeps the order of insertion, so the one whose turn it was goes to the end. */
function moveLast<V>(map: Map<string, V>, key: string, isKept: boolean): void {
  const value = map.get(key);
  map.delete(key);
  if (isKept && value !== undefined) map.set(key, value);
}
