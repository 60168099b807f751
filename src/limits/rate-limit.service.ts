import type { Id } from '../platform/ids.js';
import type { ProductLine } from '../tenancy/product-line.entity.js';

const HOUR_MS = 3_600_000;
/** A client that is set up wrongly stays below it; who guesses codes of product lines does not. */
const UNKNOWN_LINES_PER_HOUR = 60;
const DAY_MS = 24 * HOUR_MS;

/** At most `limit` attempts in any `lengthMs` milliseconds, counted under one Redis key. */
export interface RateWindow {
  readonly key: string;
  readonly limit: number;
  readonly lengthMs: number;
}

export interface RateLimitDefaults {
  /** For product lines without a rule of their own; 0 means no limit. */
  readonly hour: number;
  readonly day: number;
}

/** Which windows an attempt falls into. They are counted where the attempt is admitted, all or none. */
export class RateLimitService {
  constructor(private readonly defaults: RateLimitDefaults) {}

  /** The rolling hour and the rolling day of a product line, the longer one last. */
  windows(line: ProductLine): RateWindow[] {
    const key = `{${line.tenantId}}:rate:line:${line.code}`;
    const hour = { key, limit: line.hourLimit ?? this.defaults.hour, lengthMs: HOUR_MS };
    const day = { key, limit: line.dayLimit ?? this.defaults.day, lengthMs: DAY_MS };
    return [hour, day].filter((window) => window.limit > 0);
  }

  /** The rolling hour of a user's attempts at product lines that the tenant does not have, or has disabled. */
  unknownLineWindows(tenantId: string, userId: Id): RateWindow[] {
    const key = `{${tenantId}}:rate:unknown_line:${userId}`;
    return [{ key, limit: UNKNOWN_LINES_PER_HOUR, lengthMs: HOUR_MS }];
  }
}

/** Where attempts are counted that are too many to be kept one by one; `admit-attempt.lua` tells how. */
export function olderAttemptsKey(windowKey: string): string {
  return `${windowKey}:older`;
}

/** Previews have the limits of attempts, counted apart, so that looking does not use up redeeming. */
export function previewWindows(windows: readonly RateWindow[]): RateWindow[] {
  return windows.map((window) => ({ ...window, key: `${window.key}:preview` }));
}
