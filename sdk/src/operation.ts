declare const TYPES: unique symbol;

/** An operation with the types of its result and variables. */
export interface Operation<Result, Variables> {
  readonly name: string;
  readonly text: string;
  /** SHA-256 of the text in hexadecimal: by it a partner's operations are registered, and others are persisted. */
  readonly id?: string;
  /** Types only; never there. */
  readonly [TYPES]?: (variables: Variables) => Result;
}

/** An operation of your own, for `query` and `mutate`. */
export function operation<Result, Variables = Record<string, never>>(
  text: string,
): Operation<Result, Variables> {
  return { name: /^\s*(?:query|mutation|subscription)\s+(\w+)/.exec(text)?.[1] ?? '', text };
}
