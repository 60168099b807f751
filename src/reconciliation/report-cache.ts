import { setTimeout as pause } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../platform/clock.js';
import type { Reconciler } from './reconciler.js';
import type { ReconciliationReport } from './report.js';

/** A report answers everybody for so long. */
const FRESH_MS = 30_000;
/** So long who asks waits for a report in the making. */
const WAIT_MS = 5000;
/** Reports that are kept, one a tenant. */
const KEPT_MAX = 200;

export interface DeskSettings {
  readonly freshMs?: number;
  readonly waitMs?: number;
}

export interface DeskAnswer {
  /** The newest there is; null while the first one is in the making. */
  readonly report: ReconciliationReport | null;
  /** Whether a newer one is in the making. */
  readonly isRunning: boolean;
}

/**
 * Hands out reports on behalf of staff. However often and by however many it is asked, this process makes one report
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
    private readonly settings: DeskSettings = {},
  ) {}

  async latest(tenantId: string): Promise<DeskAnswer> {
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
    // A failure is told to whoever waits for it, and holds up nobody behind.
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
