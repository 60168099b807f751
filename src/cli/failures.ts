import { CommanderError } from '@commander-js/extra-typings';
import { failureMessage, oneLine } from '../app/failure-message.js';
import { DomainError } from '../platform/errors.js';
import { scrub } from '../platform/observability/scrub.js';
import { hinted } from './hints.js';

/** Something that the person at the terminal can mend; the message says what. */
export class CliError extends Error {
  override readonly name = 'CliError';
}

/** The command was stopped by a signal, and has let go of everything. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';

  constructor(readonly status: number) {
    super('Stopped.');
  }
}

/** The command could not find out what it was asked; other than a finding that is bad. */
export class NotLookedError extends Error {
  override readonly name = 'NotLookedError';
}

export interface Failure {
  /** Null where everything has been said. */
  readonly line: string | null;
  /** For who asked for more; null where there is no more to know. */
  readonly stack: string | null;
  readonly status: number;
}

const FAILED = 1;
const WRONG_USAGE = 2;
const NOT_LOOKED = 2;

/** What a failed command says, and how it ends. */
export function failureOf(error: unknown): Failure {
  if (error instanceof CommanderError) {
    return { line: null, stack: null, status: error.exitCode === 0 ? 0 : WRONG_USAGE };
  }
  if (error instanceof InterruptedError) return { line: error.message, stack: null, status: error.status };
  if (error instanceof NotLookedError) {
    const failure = failureOf(error.cause);
    return failure.status === FAILED ? { ...failure, status: NOT_LOOKED } : failure;
  }
  return { line: lineOf(error), stack: stackOf(error), status: FAILED };
}

function lineOf(error: unknown): string {
  if (error instanceof DomainError) return oneLine(hinted(String(error.code), error.message));
  return error instanceof CliError ? oneLine(error.message) : failureMessage(error, '--verbose');
}

function stackOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const cause =
    error.cause instanceof Error ? `\nCaused by: ${error.cause.stack ?? error.cause.message}` : '';
  return scrub(`${error.stack ?? error.message}${cause}`);
}
