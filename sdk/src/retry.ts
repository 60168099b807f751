import { RedeemkitError } from './errors.js';
import type { RetryOptions } from './options.js';
import { pause, type Signal } from './platform.js';

/** Twice as long each time. Half of it is left to chance, so that clients whose server died do not return together. */
export function pauseMs({ firstPauseMs, maxPauseMs }: Required<RetryOptions>, pausesBefore: number): number {
  return Math.min(maxPauseMs, firstPauseMs * 2 ** pausesBefore) * (0.5 + Math.random() / 2);
}

/** The instant at which a call stops being repeated, and its pauses until then. */
export class Deadline {
  private readonly endMs: number;
  private pauses = 0;
  private readonly retry: Required<RetryOptions>;
  private readonly signal: Signal | undefined;

  constructor(retry: Required<RetryOptions>, signal: Signal | undefined) {
    this.retry = retry;
    this.signal = signal;
    this.endMs = Date.now() + retry.deadlineMs;
  }

  get leftMs(): number {
    return Math.max(0, this.endMs - Date.now());
  }

  /**
   * Waits before the next attempt, at least as long as the server asks for.
   * @returns false, at once, when the deadline comes first
   */
  async pause(retryAfterMs = 0): Promise<boolean> {
    const waitMs = this.nextMs(retryAfterMs);
    if (waitMs >= this.leftMs) return false;
    await pause(waitMs, this.signal);
    return true;
  }

  /**
   * Waits for something that makes the next attempt worth while, and no longer than the next pause would last.
   * @returns false when the deadline comes first
   */
  async pauseUntil(sooner: Promise<unknown>, pauseMsMin: number): Promise<boolean> {
    await pause(Math.min(this.nextMs(pauseMsMin), this.leftMs), this.signal, sooner);
    return this.leftMs > 0;
  }

  private nextMs(atLeastMs: number): number {
    const waitMs = Math.max(atLeastMs, pauseMs(this.retry, this.pauses));
    this.pauses += 1;
    return waitMs;
  }
}

/** Repeats the work while its error may pass, until the deadline. Only for what may run twice. */
export async function repeated<T>(deadline: Deadline, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof RedeemkitError) || !error.isRetryable) throw error;
      if (!(await deadline.pause(error.retryAfterMs))) throw error;
    }
  }
}
