import { CommanderError } from 'commander';
import { ConfigError } from '../config.js';
import { EmbeddedServicesError } from '../platform/embedded-services/embedded-services.errors.js';
import { DomainError, StoreUnavailableError } from '../platform/errors.js';
import { scrub } from '../platform/scrub.js';

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
  return { line: oneLine(messageOf(error)), stack: stackOf(error), status: FAILED };
}

export function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, ' ');
}

function messageOf(error: unknown): string {
  if (error instanceof DomainError) return `${error.code}: ${error.message}`;
  if (
    error instanceof CliError ||
    error instanceof ConfigError ||
    error instanceof EmbeddedServicesError ||
    error instanceof StoreUnavailableError
  ) {
    return error.message;
  }
  if (!(error instanceof Error)) return scrub(String(error));
  return systemMessage(error) ?? `Failed: ${scrub(error.message)} (--verbose tells more)`;
}

/** Names by which drivers and the system tell what a person can mend. */
function systemMessage(error: Error): string | null {
  if (error.name === 'TableNotFoundException') {
    return 'The database has no schema yet: run `npm run migrate` first.';
  }
  const { code } = rootOf(error) as NodeJS.ErrnoException;
  switch (code) {
    case 'EPIPE':
      return 'The reader of the output has gone; not everything was written.';
    case 'ECONNREFUSED':
    case 'ENOTFOUND':
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
      return `A server could not be reached: ${scrub(error.message)}`;
    case 'ER_ACCESS_DENIED_ERROR':
    case 'ER_DBACCESS_DENIED_ERROR':
    case 'ER_BAD_DB_ERROR':
      return `The database refused: ${scrub(error.message)}`;
    default:
      return null;
  }
}

/** Drivers wrap; an attempt at several addresses of one host fails with all of their errors. */
function rootOf(error: Error): Error {
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : error.cause;
  return inner instanceof Error && !('code' in error) ? rootOf(inner) : error;
}

function stackOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const cause =
    error.cause instanceof Error ? `\nCaused by: ${error.cause.stack ?? error.cause.message}` : '';
  return scrub(`${error.stack ?? error.message}${cause}`);
}
