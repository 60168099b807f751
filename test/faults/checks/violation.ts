/** The invariants of `docs/architecture.md`; HISTORY is all answers about one code, taken together. */
export type Invariant = 'I1' | 'I2' | 'I3' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9' | 'HISTORY';

/** A broken invariant, with the ids that lead to it. */
export interface Violation {
  readonly invariant: Invariant;
  readonly what: string;
}

export function violation(invariant: Invariant, what: string): Violation {
  return { invariant, what };
}
