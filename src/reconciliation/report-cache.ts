import { LRUCache } from 'lru-cache';
import pLimit from 'p-limit';
import type { Clock } from '../platform/clock.js';
import { resultWithin } from '../platform/scheduling/timeout.js';
import type { Reconciler } from './reconciler.js';
import type { ReconciliationReport } from './report.js';

/** How long a report answers all callers. */
const FRESH_MS = 30_000;
/** How long a caller waits for a report that is being made. */
const WAIT_MS = 5000;
/** How many reports are kept, one a tenant. */
const KEPT_MAX = 200;

export interface ReportCacheSettings {
  readonly freshMs?: number;
  readonly waitMs?: number;
}

export interface CachedReport {
  /** The newest there is; null while the first one is being made. */
  readonly report: ReconciliationReport | null;
  /** Whether a newer one is being made. */
  readonly isRunning: boolean;
}

/**
 * Hands out reports on behalf of staff. However often it is asked, this process makes one report
 * at a time, and none for a tenant whose last one is fresh.
 */
export class ReportCache {
  private readonly reports = new LRUCache<string, ReconciliationReport>({ max: KEPT_MAX });
  private readonly running = new Map<string, Promise<unknown>>();
  private readonly inTurn = pLimit(1);

  constructor(
    private readonly reconciler: Pick<Reconciler, 'run'>,
    private readonly clock: Clock,
    private readonly settings: ReportCacheSettings = {},
    /** Takes each report that was made. */
    private readonly keep: (tenantId: string, report: ReconciliationReport) => Promise<void> = async () =>
      undefined,
  ) {}

  async latest(tenantId: string): Promise<CachedReport> {
    const known = this.reports.get(tenantId);
    if (known !== undefined && this.isFresh(known)) return { report: known, isRunning: false };
    const running = this.running.get(tenantId) ?? this.start(tenantId);
    await resultWithin(this.settings.waitMs ?? WAIT_MS, running);
    return { report: this.reports.get(tenantId) ?? null, isRunning: this.running.has(tenantId) };
  }

  private isFresh({ startedAt, tookMs }: ReconciliationReport): boolean {
    const freshMs = this.settings.freshMs ?? FRESH_MS;
    return this.clock.nowMs() < startedAt.getTime() + tookMs + freshMs;
  }

  /** A failure reaches the callers of this report, and does not hold up the next one. */
  private start(tenantId: string): Promise<unknown> {
    const running = this.inTurn(async () => {
      const report = await this.reconciler.run({ tenantId });
      this.reports.set(tenantId, report);
      await this.keep(tenantId, report);
    });
    const ended = running.finally(() => this.running.delete(tenantId));
    this.running.set(tenantId, ended);
    return ended;
  }
}
