import { DomainError, StartError, StoreUnavailableError } from '../platform/errors.js';
import { networkCodeOf } from '../platform/await-store.js';
import { OWN_COMMAND } from '../platform/own-command.js';
import { scrub } from '../platform/observability/scrub.js';

export function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, ' ');
}

/**
 * The message of a failure for a person at the terminal: one line, without secrets.
 *
 * @param more the setting with which the stack is shown
 */
export function failureMessage(error: unknown, more: string): string {
  if (error instanceof DomainError) return `${error.code}: ${error.message}`;
  if (error instanceof StartError || error instanceof StoreUnavailableError) return oneLine(error.message);
  if (!(error instanceof Error)) return oneLine(scrub(String(error)));
  return oneLine(systemMessage(error) ?? `Failed: ${scrub(error.message)} (${more} tells more)`);
}

/** Names by which drivers and the system tell what a person can mend. */
function systemMessage(error: Error): string | null {
  if (error.name === 'TableNotFoundException')
    return `The database has no schema yet: run \`${OWN_COMMAND} migrate\` first.`;
  switch (networkCodeOf(error)) {
    case 'EPIPE':
      return 'The reader of the output has gone; not everything was written.';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOTDIR':
    case 'ENOSPC':
      return `A file or folder cannot be written: ${scrub(error.message)}.`;
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
