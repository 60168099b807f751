/** A broken invariant of our own: a defect, never a refusal. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Stops at a state that must not exist, before it is written anywhere. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** Unwraps what the invariants say is there. */
export function present<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new InvariantError(`${what} is missing.`);
  return value;
}
