/** A broken invariant of our own: a defect, never a refusal. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Stops at a state that must not exist, before it is written anywhere. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** For columns that may be null, and are missing from an object that was just made. */
export function isSet<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined;
}

/** Unwraps what the invariants say is there. */
export function present<T>(value: T | null | undefined, what: string): T {
  if (!isSet(value)) throw new InvariantError(`${what} is missing.`);
  return value;
}
