const PAUSE_FIRST_MS = 5000;
const PAUSE_FACTOR = 3;
const PAUSE_MAX_MS = 4 * 3_600_000;
/** Attempts end a day after the event, or after its replay. */
const ATTEMPTS_FOR_MS = 24 * 3_600_000;
/** What a receiver asks for by `retry-after` is heeded up to here. */
const RETRY_AFTER_MAX_MS = 3_600_000;

export interface FailedAttempt {
  /** Attempts so far, this one included. */
  readonly attempts: number;
  readonly queuedAtMs: number;
  readonly nowMs: number;
  /** What the receiver asked for; 0 where it asked for nothing. */
  readonly retryAfterMs: number;
}

/**
 * When the next attempt follows; null when none does. A part of the pause is by chance, so that deliveries that failed
 * together do not come back together.
 * @param chance from 0 to 1
 */
export function nextAttemptAtMs(
  { attempts, queuedAtMs, nowMs, retryAfterMs }: FailedAttempt,
  chance: number,
): number | null {
  const longestMs = Math.min(PAUSE_FIRST_MS * PAUSE_FACTOR ** (attempts - 1), PAUSE_MAX_MS);
  const pauseMs = Math.max(longestMs * (0.5 + chance / 2), Math.min(retryAfterMs, RETRY_AFTER_MAX_MS));
  const atMs = Math.round(nowMs + pauseMs);
  return atMs > queuedAtMs + ATTEMPTS_FOR_MS ? null : atMs;
}
