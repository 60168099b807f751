import type { Evidence } from './checks/evidence.js';
import type { Violation } from './checks/violation.js';
import type { Kind } from './kind.js';
import type { Step } from './steps.js';

export interface Cell {
  readonly step: Step;
  readonly kind: Kind;
  readonly seed: number;
}

/** HELD: the fault happened at its step, and everything still holds. */
export type Mark = 'HELD' | 'VIOLATED' | 'NOT_REACHED' | 'FAILED';

export interface CellResult {
  readonly cell: Cell;
  readonly mark: Mark;
  readonly violations: readonly Violation[];
  /** How the fault is known to have happened; or why it is not. */
  readonly proofs: readonly string[];
  /** From the end of the mending until all was settled that had been open at that moment; null when that was not seen. */
  readonly recoveryMs: number | null;
  readonly tookMs: number;
  readonly tenantId: string;
  /** What clients were told, what the stores hold, and what a subscriber saw. */
  readonly known: Partial<Pick<Evidence, 'tries' | 'facts' | 'seen'>>;
  /** The output of each process during the cell. */
  readonly said: Readonly<Record<string, string>>;
}
