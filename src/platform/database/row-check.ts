/**
 * Which rows are read, page by page in the order of an index; `TENANT` is the tenant itself.
 * The text is the program's own, never input. `:tenant` stands for the tenant's id.
 */
export type RowPages =
  | 'TENANT'
  | {
      readonly table: string;
      /** Numeric columns behind the tenant's in the index; the item is their values with `|` between them. */
      readonly key?: readonly [string, ...string[]];
      readonly index?: string;
      /** Whether several rows share a key. */
      readonly repeats?: boolean;
      /** On the table's row `t`. */
      readonly condition?: string;
      /** How many items one statement judges; for items that each take long. */
      readonly atOnce?: number;
    };

/** What one statement says of one page of rows; checks that share it are judged together. */
export interface RowFacts {
  /** The name of what is counted, for the report. */
  readonly name: string;
  readonly rows: RowPages;
  /**
   * Takes `:tenant`, `(:items)`, `(:consumers)` (a table of the names of all consumers of events), and `:day(column)`
   * (the number of the date of an instant in the tenant's time zone). Answers `id` (the
   * item), perhaps `subject` (what an operator looks for, if not the id), and facts. Facts named `is…` and `has…` are
   * only for the conditions; the others are shown to the operator.
   * One statement, so that it sees one instant of the database.
   */
  readonly sql: string;
}

/** A kind of drift that SQL finds. A feature lists its own beside its tables; reconciliation runs all. */
export interface RowCheck {
  readonly kind: string;
  /** The invariant that is broken: I1 to I9 of the design. */
  readonly invariant: `I${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9}`;
  readonly means: string;
  readonly remedy: string;
  readonly facts: RowFacts;
  /** A condition on the facts; without it all that the statement answers is wrong. */
  readonly wrong?: string;
}
