import { StoreUnavailableError } from './errors.js';
import { isServerAway } from './database/sql-errors.js';

/** Nothing is known to be wrong with the work itself. */
export function isStoreAway(error: unknown): boolean {
  return error instanceof StoreUnavailableError || isServerAway(error);
}

/**
 * Failures of work that is done for one tenant after the other: what is wrong with one must not hold up the others.
 * A store that is away holds up all, and is thrown at once.
 */
export class TenantFailures {
  private readonly errors: unknown[] = [];

  /** For `catch`. */
  readonly note = (error: unknown): number => {
    if (isStoreAway(error)) throw error;
    this.errors.push(error);
    return 0;
  };

  /** At the end, so that the caller logs the failure. */
  throwFirst(): void {
    if (this.errors.length > 0) throw this.errors[0];
  }
}
