import { DomainError } from '../platform/errors.js';
import type { TextPosition } from '../platform/expressions/expression-fault.js';

/** One refusal as every mutation's `errors` carries it. */
export interface UserErrorData {
  readonly code: string;
  readonly message: string;
  /** Path of the input field at fault, outermost first. */
  readonly field: readonly string[] | null;
  /** How long to wait before the same call can succeed, in milliseconds. */
  readonly retryAfterMs: number | null;
  /** Where in the text of the field the fault lies. */
  readonly position?: TextPosition;
}

/**
 * Answers a mutation: what the work gives and no errors, or the refusal as data. This is the only place where a
 * refusal becomes an answer; a fault is no answer, so it is thrown on and reaches the caller without its message.
 *
 * A refused payload has `errors` alone: every other field of a payload type must be nullable.
 */
export async function answer<T extends object>(
  work: () => Promise<T>,
): Promise<T & { errors: UserErrorData[] }> {
  try {
    return { ...(await work()), errors: [] };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return { errors: [userErrorOf(error)] } as unknown as T & { errors: UserErrorData[] };
  }
}

function isRefusal(error: unknown): error is DomainError {
  return error instanceof DomainError;
}

/** A refusal in the shape of the schema's `UserError`. */
function userErrorOf(error: DomainError): UserErrorData {
  return {
    code: error.code,
    message: error.message,
    field: error.details.field ?? null,
    retryAfterMs: error.details.retryAfterMs ?? null,
    ...(error.details.position !== undefined && { position: error.details.position }),
  };
}
