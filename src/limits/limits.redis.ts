import { randomUUID } from 'node:crypto';
import { answered, type Redis } from '../platform/redis/redis.js';
import { RedisScript } from '../platform/redis/script.js';
import type { Id } from '../platform/ids.js';
import {
  admissionArguments,
  limitsKey,
  NO_LIMITS,
  olderAttemptsKey,
  type AttemptLimits,
  type RateWindow,
} from './rate-limit.service.js';

/** How far one window or one lock-out is used up. */
export interface Used {
  readonly count: number;
  readonly retryAfterMs: number;
}

/** Redis' side of limits beside the admission itself. */
export class LimitsRedis {
  private readonly failure: RedisScript;
  private readonly usage: RedisScript;
  private readonly window: RedisScript;

  constructor(private readonly redis: Redis) {
    this.failure = new RedisScript(redis, 'note-failure');
    this.usage = new RedisScript(redis, 'read-usage');
    this.window = new RedisScript(redis, 'admit-window');
  }

  /**
   * After limits were committed: every process reads them again before it admits another attempt.
   * @returns their new version
   */
  async changed(tenantId: string): Promise<string> {
    const version = randomUUID();
    await answered(this.redis.set(limitsKey(tenantId), version));
    return version;
  }

  /** Counts an attempt that failed. */
  async noteFailure(attemptId: Id, { lockOuts }: AttemptLimits): Promise<void> {
    const { keys, frees } = admissionArguments({ ...NO_LIMITS, lockOuts }, 1);
    await this.failure.run(keys, [attemptId, frees]);
  }

  /** Of each window, then of each lock-out. */
  async used(limits: AttemptLimits): Promise<Used[]> {
    const { keys, frees, triples } = admissionArguments(limits, 1);
    const reply = (await this.usage.run(keys, [frees, ...triples])) as number[];
    return reply.flatMap((count, at) =>
      at % 2 === 0 ? [{ count, retryAfterMs: Number(reply[at + 1]) }] : [],
    );
  }

  /** Counts an attempt in one window, or says how long to wait in milliseconds. */
  async admit(attemptId: string, { key, limit, lengthMs }: RateWindow): Promise<number> {
    return Number(await this.window.run([key, olderAttemptsKey(key)], [attemptId, limit, lengthMs]));
  }
}
