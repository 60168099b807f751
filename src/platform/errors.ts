import type { TextPosition } from './expressions/expression-fault.js';

/** Facts of a refusal that the caller may see besides its code. */
export interface RefusalDetails {
  /** Path of the input field at fault, outermost first, e.g. `['input', 'code']`. */
  readonly field?: readonly string[];
  /** How long to wait before the same call can succeed, in milliseconds. */
  readonly retryAfterMs?: number;
  /** Where in the text of the field the fault lies. */
  readonly position?: TextPosition;
  /** Which reward of a campaign's rule stands in the way. */
  readonly rewardNo?: number;
}

/**
 * A refusal that belongs to the domain: the call was understood and the answer is no.
 * Everything else that is thrown is a fault, and is never shown to a caller.
 */
export class DomainError<Code extends string = string> extends Error {
  override readonly name = 'DomainError';

  constructor(
    readonly code: Code,
    message: string,
    readonly details: RefusalDetails = {},
  ) {
    super(message);
  }
}

/** A store (Redis or the database) did not answer in time; nothing is known to be wrong with the request. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';

  constructor(
    readonly store: 'redis' | 'database',
    options?: ErrorOptions,
  ) {
    super(`The ${store} did not answer in time.`, options);
  }
}

/** The process cannot start as it is set up; the message is one line that says what is wrong and what to do. */
export class StartError extends Error {
  override readonly name: string = 'StartError';
}
