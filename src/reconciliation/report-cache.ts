import { setTimeout as pause } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../platform/clock.js';
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
  private readonly running = new Map<string, Promise<void>>();
  /** The end of the line: reports are made one after another. */
  private last: Promise<void> = Promise.resolve();

  constructor(
    private readonly reconciler: Pick<Reconciler, 'run'>,
    private readonly clock: Clock,
    private readonly settings: ReportCacheSettings = {},
  ) {}

  async latest(tenantId: string): Promise<CachedReport> {
    const known = this.reports.get(tenantId);
    if (known !== undefined && this.isFresh(known)) return { report: known, isRunning: false };
    const running = this.running.get(tenantId) ?? this.start(tenantId);
    const waiting = new AbortController();
    try {
      const waitMs = this.settings.waitMs ?? WAIT_MS;
      await Promise.race([running, pause(waitMs, undefined, { ref: false, signal: waiting.signal })]);
    } finally {
      waiting.abort();
    }
    return { report: this.reports.get(tenantId) ?? null, isRunning: this.running.has(tenantId) };
  }

  private isFresh({ startedAt, tookMs }: ReconciliationReport): boolean {
    const freshMs = this.settings.freshMs ?? FRESH_MS;
    return this.clock.nowMs() < startedAt.getTime() + tookMs + freshMs;
  }

  private start(tenantId: string): Promise<void> {
    const running = this.make(tenantId, this.last);
    this.running.set(tenantId, running);
    // A failure reaches the callers of this report, and does not hold up the next one.
    this.last = running.catch(() => undefined);
    return running;
  }

  private async make(tenantId: string, turn: Promise<void>): Promise<void> {
    await turn;
    try {
      this.reports.set(tenantId, await this.reconciler.run({ tenantId }));
    } finally {
      this.running.delete(tenantId);
    }
  }
}
