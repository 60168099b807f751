import { StoreUnavailableError } from '../platform/errors.js';
import type { Id } from '../platform/ids.js';
import type { LimitsRedis } from './limits.redis.js';
import type { AttemptLimits } from './rate-limit.service.js';

/** Counts attempts that failed, so that guessers wait. */
export class FailedAttemptService {
  constructor(private readonly redis: LimitsRedis) {}

  /** Where Redis does not answer the failure is not counted: the refusal is answered all the same. */
  async note(attemptId: Id, limits: AttemptLimits): Promise<void> {
    if (limits.lockOuts.length === 0) return;
    try {
      await this.redis.noteFailure(attemptId, limits);
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
    }
  }
}
