/** How fast codes are made, and how long the rest takes; null where that is not known. */
export interface Pace {
  readonly codesPerSecond: number | null;
  readonly secondsLeft: number | null;
}

export const NO_PACE: Pace = { codesPerSecond: null, secondsLeft: null };

/** The pace is measured over this time: a pause of the workers counts no longer than that. */
const WINDOW_MS = 10_000;

interface Sample {
  readonly atMs: number;
  readonly generated: number;
}

/** Measures the pace of one batch in the process that makes its codes. */
export class PaceMeter {
  private samples: Sample[] = [];

  /** @param requested codes of the whole batch */
  constructor(private readonly requested: number) {}

  /** @param generated codes stored at this instant */
  note(generated: number, atMs: number): Pace {
    this.samples = [...this.samples.filter((sample) => atMs - sample.atMs <= WINDOW_MS), { atMs, generated }];
    const [first] = this.samples;
    if (first === undefined || atMs <= first.atMs || generated <= first.generated) return NO_PACE;
    const perSecond = ((generated - first.generated) / (atMs - first.atMs)) * 1000;
    return {
      codesPerSecond: Math.round(perSecond),
      secondsLeft: Math.ceil((this.requested - generated) / perSecond),
    };
  }
}

/** In tenths, rounded down: 100 only when no code is missing. An import asks for no code until it has one. */
export function percentageOf(generated: number, requested: number): number {
  return requested === 0 ? 0 : Math.floor((generated * 1000) / requested) / 10;
}
