/** The invariants of `docs/architecture.md`; HISTORY is what clients were told of one code, taken together. */
export type Invariant = 'I1' | 'I2' | 'I3' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9' | 'HISTORY';

/** Something that must never be, with the ids that lead to it. */
export interface Violation {
  readonly invariant: Invariant;
  readonly what: string;
}

export function violation(invariant: Invariant, what: string): Violation {
  return { invariant, what };
}
