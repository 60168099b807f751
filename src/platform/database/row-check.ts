/** A kind of drift that one statement finds. A feature lists its own beside its tables; reconciliation runs all. */
export interface RowCheck {
  readonly kind: string;
  /** The invariant that is broken: I1 to I9 of the design. */
  readonly invariant: `I${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9}`;
  readonly means: string;
  readonly remedy: string;
  /** What is looked at, for the report; checks of one name share it. */
  readonly name: string;
  /** Whose ids are paged through: the program's own text, never input. */
  readonly rows: { readonly table: string; readonly condition?: string };
  /**
   * Takes the tenant's id and ids of these rows; answers the `id` of each that is wrong, and as further columns what
   * an operator wants to see of it. One statement, so that it sees one instant of the database.
   */
  readonly sql: string;
}
