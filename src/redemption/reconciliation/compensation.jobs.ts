import type { Clock } from '../../platform/clock.js';
import type { Logger } from '../../platform/log.js';
import type { NamedLock } from '../../platform/orm/named-lock.js';
import type { Compensation } from './compensation.js';
import type { ReconciliationRedis } from './reconciliation.redis.js';

const HOUR_MS = 3_600_000;

export interface CompensationJobParts {
  readonly compensation: Pick<Compensation, 'run'>;
  readonly redis: Pick<ReconciliationRedis, 'serverRun'>;
  /** Of all workers one compensates at a time. */
  readonly lock: Pick<NamedLock, 'tryTake' | 'release'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly everyMs?: number;
}

/**
 * Compensates each hour, and as soon as Redis turns out to have been started anew: what it then holds may be older
 * than what it held before.
 */
export class CompensationJob {
  private lastMs: number;
  private serverRun: string | null = null;

  constructor(private readonly parts: CompensationJobParts) {
    this.lastMs = parts.clock.nowMs();
  }

  /** Looks whether it is time. @returns whether it compensated */
  async tick(signal?: AbortSignal): Promise<boolean> {
    const { redis, lock, clock, everyMs = HOUR_MS } = this.parts;
    const serverRun = await redis.serverRun();
    const isNewServer = this.serverRun !== null && this.serverRun !== serverRun;
    if (!isNewServer && clock.nowMs() < this.lastMs + everyMs) {
      this.serverRun = serverRun;
      return false;
    }
    if (!(await lock.tryTake())) return false;
    try {
      await this.compensate(signal);
    } finally {
      await lock.release();
    }
    // Only now: what failed is tried again at the next tick.
    this.serverRun = serverRun;
    this.lastMs = clock.nowMs();
    return true;
  }

  private async compensate(signal: AbortSignal | undefined): Promise<void> {
    const { swept, mended, left } = await this.parts.compensation.run(null, signal);
    if (Object.keys(left).length > 0)
      this.parts.log.error({ swept, mended, left }, 'drift could not be mended');
    else if (Object.keys(mended).length > 0) this.parts.log.warn({ swept, mended }, 'drift was mended');
  }
}
