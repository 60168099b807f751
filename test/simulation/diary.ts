const LINES_KEPT = 60;

/** What was done: all of it in numbers, and the last of it in words. */
export class Diary {
  private readonly counts = new Map<string, Map<string, number>>();
  private readonly lines: string[] = [];

  note(kind: string, outcome: string, line: string): void {
    const ofKind = this.counts.get(kind) ?? new Map<string, number>();
    this.counts.set(kind, ofKind);
    ofKind.set(outcome, (ofKind.get(outcome) ?? 0) + 1);
    this.lines.push(line);
    if (this.lines.length > LINES_KEPT) this.lines.shift();
  }

  get last(): readonly string[] {
    return this.lines;
  }

  /** How often each outcome of a kind came. */
  outcomes(kind: string): Readonly<Record<string, number>> {
    return Object.fromEntries(this.counts.get(kind) ?? []);
  }

  /** A line for each kind, the most frequent outcomes first. */
  summary(): string[] {
    return [...this.counts]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([kind, outcomes]) => {
        const told = [...outcomes]
          .toSorted(([, a], [, b]) => b - a)
          .map(([outcome, count]) => `${outcome} ${count}`);
        return `${kind.padEnd(16)}${told.join(', ')}`;
      });
  }
}
