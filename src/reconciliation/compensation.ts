import type { Logger } from '../platform/observability/log.js';
import type { ClaimSweeper } from '../redemption/recovery/claim-sweeper.js';
import type { Reconciler } from './reconciler.js';

export interface Compensated {
  /** Claims past their deadline that were settled: aborted, released, or confirmed. */
  readonly swept: number;
  /** Mended drifts by their kind; empty where there was nothing to do. */
  readonly mended: Readonly<Record<string, number>>;
  /** Drifts that Redis holds and that could not be mended, by their kind. */
  readonly left: Readonly<Record<string, number>>;
  /** Tenants whose keys or rows could not be judged; the log says why. */
  readonly failed: readonly string[];
}

/**
 * Brings both sides in step again (seed 004). What Redis admitted and was not settled in time is aborted in the
 * database, then in Redis; what the database has settled is confirmed or released in Redis, and copies that disagree
 * are dropped. A second run finds nothing to do.
 */
export class Compensation {
  constructor(
    private readonly reconciler: Pick<Reconciler, 'run'>,
    private readonly sweeper: Pick<ClaimSweeper, 'sweep' | 'sweepAll'>,
    private readonly log: Logger,
  ) {}

  /** @param tenantId null for all tenants */
  async run(tenantId: string | null, signal?: AbortSignal): Promise<Compensated> {
    const swept =
      tenantId === null ? await this.sweeper.sweepAll(signal) : await this.sweeper.sweep(tenantId, signal);
    const failed = new Set<string>();
    const onFailed = (tenant: string, error: unknown): void => {
      failed.add(tenant);
      this.log.error({ err: error, tenantId: tenant }, 'what Redis holds of a tenant could not be compared');
    };
    const scope = { tenantId, repair: true, redisOnly: true, failed: onFailed };
    const { checks } = await this.reconciler.run(signal === undefined ? scope : { ...scope, signal });
    const found = checks.filter(({ count }) => count > 0);
    const mended = found.flatMap(({ kind, repaired }) => (repaired > 0 ? [[kind, repaired] as const] : []));
    const left = found.flatMap(({ kind, count, repaired }) =>
      count > repaired ? [[kind, count - repaired] as const] : [],
    );
    return {
      swept: swept.tombstoned + swept.released + swept.confirmed,
      mended: Object.fromEntries(mended),
      left: Object.fromEntries(left),
      failed: [...failed],
    };
  }
}
