import { isRetryable } from '../../src/platform/database/sql-errors.js';
import { DomainError, StoreUnavailableError } from '../../src/platform/errors.js';

/** Far longer than any machine needs; it only ends a request that is never answered. */
const ANSWER_WITHIN_MS = 120_000;

/** A request was not answered, however often it was sent. */
class LateError extends Error {
  override readonly name = 'LateError';
}

/**
 * The answer to a request. Where others hold its rows for too long, as on a busy machine, nothing was done, and the
 * client sends the same request again with the same key until it is answered.
 */
export async function answered(send: () => Promise<string>): Promise<string> {
  const late = Promise.withResolvers<never>();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    late.reject(new LateError('It was not answered in time.'));
  }, ANSWER_WITHIN_MS);
  try {
    return await Promise.race([until(send, () => isLate), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function until(send: () => Promise<string>, isLate: () => boolean): Promise<string> {
  for (;;) {
    try {
      return await send();
    } catch (error) {
      if (!isUnanswered(error) || isLate()) throw error;
    }
  }
}

function isUnanswered(error: unknown): boolean {
  if (error instanceof DomainError) return String(error.code) === 'SERVICE_UNAVAILABLE';
  return error instanceof StoreUnavailableError || isRetryable(error);
}

/** Whether a line of a log only says that rows were held for too long: the work is done again. */
export function saysBusy(line: string): boolean {
  return /ER_LOCK_WAIT_TIMEOUT|Lock wait timeout exceeded/.test(line);
}
