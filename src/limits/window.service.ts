import type { LimitsRedis } from './limits.redis.js';
import type { RateWindow } from './rate-limit.service.js';

/** Rolling windows of attempts other than redemptions. */
export class WindowService {
  constructor(private readonly redis: Pick<LimitsRedis, 'admit'>) {}

  /**
   * @param attemptId one that is counted already is admitted again, and not counted
   * @returns how long to wait where the window is full, in milliseconds; 0 where the attempt was admitted
   * @throws StoreUnavailableError
   */
  async admit(attemptId: string, window: RateWindow): Promise<number> {
    return this.redis.admit(attemptId, window);
  }
}
