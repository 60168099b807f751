import type { Logger } from '../platform/observability/log.js';
import type { ExclusiveWork } from '../platform/leases/exclusive-work.js';
import type { Compensation } from './compensation.js';
import type { ReconciliationRedis } from './reconciliation.redis.js';

const HOUR_MS = 3_600_000;

export interface CompensationJobParts {
  readonly compensation: Pick<Compensation, 'run'>;
  readonly redis: Pick<ReconciliationRedis, 'serverRun' | 'compensatedRun' | 'noteCompensated'>;
  /** Of all workers one compensates at a time. Two at once would do no harm: each change asks the database first. */
  readonly lease: Pick<ExclusiveWork, 'tryDuring'>;
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
    const { redis, lease, everyMs = HOUR_MS } = this.parts;
    if (!(await this.isDue())) return false;
    const isDone = await lease.tryDuring(async (_fence, lost) => {
      // Another worker may just have been at it.
      if (!(await this.isDue())) return false;
      // Of this server; one that is started meanwhile has another, and comes next.
      const serverRun = await redis.serverRun();
      const until = signal === undefined ? lost : AbortSignal.any([signal, lost]);
      await this.compensate(until);
      // Only now, and not when it was cut short: what failed is tried again at the next tick.
      if (!until.aborted) await redis.noteCompensated(serverRun, everyMs);
      return true;
    });
    return isDone ?? false;
  }

  private async isDue(): Promise<boolean> {
    const { redis } = this.parts;
    return (await redis.compensatedRun()) !== (await redis.serverRun());
  }

  private async compensate(signal: AbortSignal): Promise<void> {
    const { swept, mended, left, failed } = await this.parts.compensation.run(null, signal);
    if (Object.keys(left).length > 0 || failed.length > 0)
      this.parts.log.error({ swept, mended, left, failed }, 'drift could not be mended');
    else if (Object.keys(mended).length > 0) this.parts.log.warn({ swept, mended }, 'drift was mended');
  }
}
