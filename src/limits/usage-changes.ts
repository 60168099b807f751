import { setTimeout as pause } from 'node:timers/promises';
import { StoreUnavailableError } from '../platform/errors.js';
import type { RateLimitReport, RateLimitUsageService, UsageWish } from './rate-limit-usage.service.js';

/** Interval between two reads of usage for a subscriber. */
const EVERY_MS = 1000;

/**
 * How far limits are used up: at once, and again whenever it has changed. Usage is read from Redis, where all processes
 * count, because an event for each attempt would cost more than the attempt. While Redis does not answer, nothing comes.
 */
export async function* usageChanges(
  usage: Pick<RateLimitUsageService, 'recent'>,
  tenantId: string,
  wish: UsageWish,
): AsyncGenerator<RateLimitReport, undefined> {
  for (let last = ''; ; await pause(EVERY_MS, undefined, { ref: false })) {
    const report = await usage.recent(tenantId, wish).catch((error: unknown) => {
      if (error instanceof StoreUnavailableError) return null;
      throw error;
    });
    if (report === null) continue;
    const now = stateOf(report);
    if (now !== last) yield report;
    last = now;
  }
}

/** Without the times to wait, which change by themselves. */
function stateOf(report: RateLimitReport): string {
  return JSON.stringify(report, (key, value: unknown) => (key === 'retryAfterMs' ? undefined : value));
}
