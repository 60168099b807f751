/** How long the jobs are put off at least whose owner has its share of the work under way, and at most. */
const TURN_MS = 500;
const TURN_MS_MAX = 60_000;

/** The work of one owner. */
interface OwnerWork {
  underWay: number;
  /** When the last of its jobs that were put off comes back. */
  putOffUntilMs: number;
}

/** Shares the places of a process between owners: the jobs of one whose work hangs must not take all of them. */
export class OwnerTurns {
  private readonly owners = new Map<string, OwnerWork>();

  /** @param max jobs of one owner that are worked at */
  constructor(private readonly max: number) {}

  /** @returns for how long to put the job off, by its turn or by its work; null where the work was done */
  async during(owner: string, work: () => Promise<number | null>): Promise<number | null> {
    const its = this.owners.get(owner) ?? { underWay: 0, putOffUntilMs: 0 };
    if (its.underWay >= this.max) return this.delayMs(its);
    its.underWay += 1;
    this.owners.set(owner, its);
    try {
      return await work();
    } finally {
      its.underWay -= 1;
      if (its.underWay === 0) this.owners.delete(owner);
    }
  }

  /**
   * Jobs of an owner come back one share every {@link TURN_MS}, in the order in which they were put off, so that the
   * moves in Redis do not grow with the line. Those of a line longer than the longest delay are spread over its end.
   */
  private delayMs(its: OwnerWork): number {
    const nowMs = performance.now();
    const delayMs = Math.max(its.putOffUntilMs - nowMs, TURN_MS) + TURN_MS / this.max;
    if (delayMs > TURN_MS_MAX) return TURN_MS_MAX * (0.5 + Math.random() / 2);
    its.putOffUntilMs = nowMs + delayMs;
    return delayMs;
  }
}
