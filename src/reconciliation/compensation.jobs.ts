import type { Logger } from '../platform/observability/log.js';
import type { NamedLock } from '../platform/database/named-lock.js';
import type { Compensation } from './compensation.js';
import type { ReconciliationRedis } from './reconciliation.redis.js';

const HOUR_MS = 3_600_000;

export interface CompensationJobParts {
  readonly compensation: Pick<Compensation, 'run'>;
  readonly redis: Pick<ReconciliationRedis, 'serverRun' | 'compensatedRun' | 'noteCompensated'>;
  /** Of all workers one compensates at a time. */
  readonly lock: Pick<NamedLock, 'tryDuring'>;
  readonly log: Logger;
  readonly everyMs?: number;
}

/**
 * Compensates each hour, and as soon as Redis turns out to have been restarted or emptied: what it then holds may
 * be older than what it held before. Redis itself keeps until when it is done, so that all workers together do it once,
 * and one that was restarted knows too.
 */
export class CompensationJob {
  constructor(private readonly parts: CompensationJobParts) {}

  /** Looks whether it is time. @returns whether it compensated */
  async tick(signal?: AbortSignal): Promise<boolean> {
    const { redis, lock, everyMs = HOUR_MS } = this.parts;
    if (!(await this.isDue())) return false;
    const isDone = await lock.tryDuring(async () => {
      // Another worker may just have been at it.
      if (!(await this.isDue())) return false;
      // Of this server; one that is started meanwhile has another, and comes next.
      const serverRun = await redis.serverRun();
      await this.compensate(signal);
      // Only now, and not when it was cut short: what failed is tried again at the next tick.
      if (signal?.aborted !== true) await redis.noteCompensated(serverRun, everyMs);
      return true;
    });
    return isDone ?? false;
  }

  private async isDue(): Promise<boolean> {
    const { redis } = this.parts;
    return (await redis.compensatedRun()) !== (await redis.serverRun());
  }

  private async compensate(signal: AbortSignal | undefined): Promise<void> {
    const { swept, mended, left, failed } = await this.parts.compensation.run(null, signal);
    if (Object.keys(left).length > 0 || failed.length > 0)
      this.parts.log.error({ swept, mended, left, failed }, 'drift could not be mended');
    else if (Object.keys(mended).length > 0) this.parts.log.warn({ swept, mended }, 'drift was mended');
  }
}
