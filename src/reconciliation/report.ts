import { INVARIANTS, type Check, type Finding, type Invariant } from './drift.js';

/** How many drifts of a kind are named; all are counted. */
const SAMPLES_MAX = 10;

export interface DriftSample {
  readonly tenantId: string;
  /** An id, or several with a slash between them; never a code. */
  readonly subject: string;
  readonly details: Finding['details'];
}

export interface HeldCheck extends Check {
  /** Who holds what is wrong. A repair mends what Redis holds, and never what the database holds. */
  readonly holder: 'DATABASE' | 'REDIS';
}

export interface CheckResult extends HeldCheck {
  /** Drifts that were found at both looks. */
  readonly count: number;
  /** How many of them are mended by now. */
  readonly repaired: number;
  readonly samples: readonly DriftSample[];
}

export interface InvariantResult {
  readonly invariant: Invariant;
  readonly states: string;
  readonly verdict: 'HOLDS' | 'BROKEN' | 'NOT_CHECKED';
  /** Why it was not checked; null where it was. */
  readonly note: string | null;
}

export interface ReconciliationReport {
  /** CLEAN also where all that was found is mended. */
  readonly verdict: 'CLEAN' | 'DRIFT';
  /** Null for all tenants. */
  readonly tenantId: string | null;
  readonly startedAt: Date;
  readonly tookMs: number;
  /** How many of each were looked at. */
  readonly looked: Readonly<Record<string, number>>;
  readonly invariants: readonly InvariantResult[];
  /** Every check, also those that found nothing. */
  readonly checks: readonly CheckResult[];
}

interface Tally {
  count: number;
  repaired: number;
  readonly samples: DriftSample[];
}

/** Adds up what was found, and remembers no more of it than a few samples. */
export class ReportBuilder {
  private readonly tallies = new Map<string, Tally>();
  private readonly looked = new Map<string, number>();

  constructor(
    private readonly checks: readonly HeldCheck[],
    private readonly isWhole: boolean,
  ) {}

  look(name: string, count: number): void {
    this.looked.set(name, (this.looked.get(name) ?? 0) + count);
  }

  add(tenantId: string, found: Finding, isRepaired: boolean): void {
    const tally = this.tallies.get(found.kind) ?? { count: 0, repaired: 0, samples: [] };
    this.tallies.set(found.kind, tally);
    tally.count += 1;
    if (isRepaired) tally.repaired += 1;
    if (tally.samples.length < SAMPLES_MAX)
      tally.samples.push({ tenantId, subject: found.subject, details: found.details });
  }

  finish(tenantId: string | null, startedAt: Date, tookMs: number): ReconciliationReport {
    const checks = this.checks.map((check) => {
      const { count, repaired, samples } = this.tallies.get(check.kind) ?? NONE;
      return { ...check, count, repaired, samples };
    });
    const broken = new Set(checks.filter(isLeft).map((check) => check.invariant));
    return {
      verdict: broken.size === 0 ? 'CLEAN' : 'DRIFT',
      tenantId,
      startedAt,
      tookMs,
      looked: Object.fromEntries(this.looked),
      invariants: this.invariants(broken),
      checks,
    };
  }

  private invariants(broken: ReadonlySet<Invariant>): InvariantResult[] {
    const checked = new Set(this.checks.map((check) => check.invariant));
    return (Object.keys(INVARIANTS) as Invariant[]).map((invariant) => {
      const states = INVARIANTS[invariant];
      if (!checked.has(invariant)) {
        const note = 'This look was at Redis alone.';
        return { invariant, states, verdict: 'NOT_CHECKED', note };
      }
      const verdict = broken.has(invariant) ? 'BROKEN' : 'HOLDS';
      return { invariant, states, verdict, note: this.isWhole ? null : 'Only as far as Redis goes.' };
    });
  }
}

const NONE: Tally = { count: 0, repaired: 0, samples: [] };

function isLeft({ count, repaired }: CheckResult): boolean {
  return count > repaired;
}
