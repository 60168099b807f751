import type { Reconciler } from './reconciler.js';

export interface Compensated {
  /** Mended drifts by their kind; empty where there was nothing to do. */
  readonly mended: Readonly<Record<string, number>>;
  /** Drifts that Redis holds and that could not be mended, by their kind. */
  readonly left: Readonly<Record<string, number>>;
}

/**
 * Brings both sides in step again (seed 004): claims that were admitted and never settled are given up in the
 * database, then in Redis; and what the database has settled is confirmed, or released, in Redis, whose copies follow.
 * A second run finds nothing to do.
 */
export class Compensation {
  constructor(private readonly reconciler: Reconciler) {}

  /** @param tenantId null for all tenants */
  async run(tenantId: string | null): Promise<Compensated> {
    const { checks } = await this.reconciler.run({ tenantId, repair: true, redisOnly: true });
    const found = checks.filter(({ count }) => count > 0);
    const mended = found.flatMap(({ kind, repaired }) => (repaired > 0 ? [[kind, repaired] as const] : []));
    const left = found.flatMap(({ kind, count, repaired }) =>
      count > repaired ? [[kind, count - repaired] as const] : [],
    );
    return { mended: Object.fromEntries(mended), left: Object.fromEntries(left) };
  }
}
