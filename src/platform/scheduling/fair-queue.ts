/** On whose behalf work is done. Anonymous callers share a tenant of their own, each under its address. */
export interface Caller {
  readonly tenantId: string;
  readonly kind: 'STAFF' | 'PARTNER' | 'USER' | 'NODE' | 'ADDRESS';
  readonly id: string;
}

/** Items of one caller, oldest first. */
interface Line<T> {
  readonly caller: Caller;
  readonly items: T[];
}

interface TenantLines<T> {
  readonly lines: Map<string, Line<T>>;
  count: number;
}

/**
 * Waiting items, taken in turn: a tenant each, and within it a caller each, so that a caller with a thousand items
 * delays another's first by one.
 */
export class FairQueue<T> {
  private readonly tenants = new Map<string, TenantLines<T>>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** How many items of one tenant wait. */
  sizeOfTenant(tenantId: string): number {
    return this.tenants.get(tenantId)?.count ?? 0;
  }

  /** How many items of one caller wait. */
  sizeOf(caller: Caller): number {
    return this.tenants.get(caller.tenantId)?.lines.get(lineOf(caller))?.items.length ?? 0;
  }

  push(caller: Caller, item: T): void {
    const { tenantId } = caller;
    const tenant = this.tenants.get(tenantId) ?? { lines: new Map<string, Line<T>>(), count: 0 };
    const line = tenant.lines.get(lineOf(caller)) ?? { caller, items: [] };
    line.items.push(item);
    tenant.lines.set(lineOf(caller), line);
    tenant.count += 1;
    this.tenants.set(tenantId, tenant);
    this.count += 1;
  }

  /**
   * The next item of a caller who may have one; undefined when there is none.
   * @param mayTenant false where no caller of the tenant may, so that its lines need not be looked at
   */
  take(
    may: (caller: Caller) => boolean = () => true,
    mayTenant: (tenantId: string) => boolean = () => true,
  ): T | undefined {
    for (const [tenantId, tenant] of this.tenants) {
      if (!mayTenant(tenantId)) continue;
      for (const { caller } of tenant.lines.values()) if (may(caller)) return this.takeOf(caller);
    }
    return undefined;
  }

  /** The oldest item of one caller; undefined when there is none. */
  takeOf(caller: Caller): T | undefined {
    const { tenantId } = caller;
    const tenant = this.tenants.get(tenantId);
    const name = lineOf(caller);
    const items = tenant?.lines.get(name)?.items;
    if (tenant === undefined || items === undefined) return undefined;
    const item = items.shift();
    tenant.count -= 1;
    this.count -= 1;
    moveLast(tenant.lines, name, items.length > 0);
    moveLast(this.tenants, tenantId, tenant.count > 0);
    return item;
  }

  /** Removes an item that no longer waits. */
  remove(caller: Caller, item: T): void {
    const tenant = this.tenants.get(caller.tenantId);
    const line = tenant?.lines.get(lineOf(caller));
    const at = line?.items.indexOf(item) ?? -1;
    if (tenant === undefined || line === undefined || at < 0) return;
    line.items.splice(at, 1);
    tenant.count -= 1;
    this.count -= 1;
    if (line.items.length === 0) tenant.lines.delete(lineOf(caller));
    if (tenant.count === 0) this.tenants.delete(caller.tenantId);
  }
}

function lineOf({ kind, id }: Caller): string {
  return `${kind} ${id}`;
}

/** A map keeps the order of insertion, so the one whose turn it was goes to the end. */
function moveLast<V>(map: Map<string, V>, key: string, isKept: boolean): void {
  const value = map.get(key);
  map.delete(key);
  if (isKept && value !== undefined) map.set(key, value);
}
